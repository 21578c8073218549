"""Error of a subnet with the supernet's weights, on images kept apart for the search.

Letter: A architectures.
"""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction
from proxies.evaluation.base import EvaluationImages, Evaluator
from proxies.evaluation.by_parts import EvaluatedPart, PartsEvaluator
from proxies.evaluation.recently_used import RecentlyUsed
from proxies.evaluation.together import BatchEvaluator
from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.search_space import SearchSpace
from supernet.supernet import SupernetModel, controls

KEPT_BYTES = 2**31


class SupernetError:
    """Estimator of the error rate in 0..1: calibrates each subnet, then evaluates it.

    On a processor subnets are evaluated one after the other (`PartsEvaluator`), the maps that they have in
    common kept within `kept_bytes`; elsewhere many at once (`BatchEvaluator`). Either way what is compiled
    for a resolution serves all subnets. `losses` of the latest call hold the mean cross-entropies in nats,
    which are finer than the error.

    Examples:
      >>> import jax
      >>> import numpy as np
      >>> from proxies import EvaluationImages, SupernetError
      >>> from supernet import SearchSpace, StageSpace
      >>> from supernet import supernet as shared
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(8,))
      >>> model = shared.supernet(space, channels=3, num_classes=2)
      >>> params, _ = model.init(jax.random.key(0))
      >>> pixels, labels = np.zeros((1, 4, 8, 8, 3), np.float32), np.array([[0, 0, 0, 1]], np.int32)
      >>> images = EvaluationImages(calibration=pixels, images=pixels, labels=labels)
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
        on_evaluated: Callable[[], None] = lambda: None,
        kept_bytes: int = KEPT_BYTES,
    ):
        """`images` gives what is evaluated by for a resolution; `on_evaluated` is called after each
        subnet."""
        self._space, self._images, self._on_evaluated = space, images, on_evaluated
        self._evaluates: dict[int, Evaluator] = {}
        self._new_evaluate = _maker(model, params, kept_bytes)
        self.losses: NDArray[np.float64] = np.zeros(0)

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Error rates float64 [A]."""
        results = np.zeros((len(architectures), 2))
        batch = controls(self._space, architectures)
        resolutions = np.array([a.resolution for a in architectures], int)
        for resolution in map(int, np.unique(resolutions)):
            if resolution not in self._evaluates:
                self._evaluates[resolution] = self._new_evaluate(self._images(resolution))
            places = np.flatnonzero(resolutions == resolution)
            members = [architectures[int(place)] for place in places]
            results[places] = self._evaluates[resolution](members, batch.at(places), self._on_evaluated)
        errors, self.losses = results.T
        return errors


def _maker(model: SupernetModel, params: Tree, kept_bytes: int) -> Callable[[EvaluationImages], Evaluator]:
    """What makes the evaluate of a resolution's images."""
    if jax.default_backend() != "cpu":
        return lambda images: BatchEvaluator(model, params, images)
    parts, kept = [EvaluatedPart(part, params) for part in model.parts], RecentlyUsed(kept_bytes)
    return lambda images: PartsEvaluator(parts, images, kept)
