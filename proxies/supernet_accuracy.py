"""Error of a subnet with the supernet's weights, on images kept apart for the search.

Letter: A architectures.
"""

from collections.abc import Callable, Sequence

import jax
import numpy as np

from proxies.base import Direction, Estimate, Estimator
from proxies.evaluation.base import EvaluationImages, Evaluator, Scoring
from proxies.evaluation.by_parts import EvaluatedPart, PartsEvaluator
from proxies.evaluation.classification import CLASSIFICATION
from proxies.evaluation.recently_used import RecentlyUsed
from proxies.evaluation.together import BatchEvaluator
from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.search_space import SearchSpace
from supernet.supernet import SupernetModel, controls

KEPT_BYTES = 2**31


class SupernetError(Estimator):
    """Estimator of the error rate in 0..1: calibrates each subnet, then evaluates it.

    On a processor subnets are evaluated one after the other (`PartsEvaluator`), the maps that they have in
    common kept within `kept_bytes`; elsewhere many at once (`BatchEvaluator`). Either way what is compiled
    for a resolution serves all subnets. The detail "loss" is the mean cross-entropy in nats, which is finer
    than the error; where it is not finite, the logits are no numbers, and the error is NaN.

    Examples:
      >>> import jax
      >>> import numpy as np
      >>> from proxies import EvaluationImages, SupernetError
      >>> from supernet import SearchSpace, StageSpace
      >>> from supernet import supernet as shared
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(8,))
      >>> model = shared.supernet(space, channels=3, num_classes=2)
      >>> params, _ = model.init(jax.random.key(0))
      >>> pixels, targets = np.zeros((1, 4, 8, 8, 3), np.float32), {"label": np.array([[0, 0, 0, 1]])}
      >>> images = EvaluationImages(pixels, pixels, targets, real=np.ones((1, 4), bool))
      >>> estimator = SupernetError(space, model, params, lambda resolution: images)
      >>> estimator([space.decode([0]), space.decode([1])]).shape
      (2,)
    """

    name = "error"
    unit = ""
    direction: Direction = "min"

    def __init__(
        self,
        space: SearchSpace,
        model: SupernetModel,
        params: Tree,
        images: Callable[[int], EvaluationImages],
        *,
        scoring: Scoring = CLASSIFICATION,
        on_evaluated: Callable[[], None] = lambda: None,
        kept_bytes: int = KEPT_BYTES,
    ):
        """`images` gives what is evaluated on for a resolution, `scoring` how outputs become an error;
        `on_evaluated` is called after each subnet."""
        self._space, self._images, self._on_evaluated = space, images, on_evaluated
        self._evaluators: dict[int, Evaluator] = {}
        self._new_evaluator = _maker(model, params, scoring, kept_bytes)

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Error rates [A]; details: loss."""
        results = np.zeros((len(architectures), 2))
        batch = controls(self._space, architectures)
        resolutions = np.array([a.resolution for a in architectures], int)
        for resolution in map(int, np.unique(resolutions)):
            if resolution not in self._evaluators:
                self._evaluators[resolution] = self._new_evaluator(self._images(resolution))
            places = np.flatnonzero(resolutions == resolution)
            members = [architectures[int(place)] for place in places]
            results[places] = self._evaluators[resolution](members, batch.at(places), self._on_evaluated)
        errors, losses = results.T
        return Estimate(np.where(np.isfinite(losses), errors, np.nan), details={"loss": losses})


def _maker(
    model: SupernetModel, params: Tree, scoring: Scoring, kept_bytes: int
) -> Callable[[EvaluationImages], Evaluator]:
    """What makes the evaluator of a resolution's images."""
    if jax.default_backend() != "cpu":
        return lambda images: BatchEvaluator(model, params, images, scoring)
    parts, kept = [EvaluatedPart(part, params) for part in model.parts], RecentlyUsed(kept_bytes)
    return lambda images: PartsEvaluator(parts, images, scoring, kept)
