"""Error of a subnet with the supernet's weights, on pictures kept apart for the search.

Letter: A architectures.
"""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction
from proxies.evaluation.by_parts import JudgedPart, JudgingByParts
from proxies.evaluation.base import Judge, JudgingPictures
from proxies.evaluation.recently_used import RecentlyUsed
from proxies.evaluation.together import JudgingTogether
from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.search_space import SearchSpace
from supernet.supernet import SupernetModel, controls

KEPT_BYTES = 2**31


class SupernetError:
    """Estimator of the error rate in 0..1: calibrates each subnet, then judges it.

    On a processor subnets are judged one after the other (`JudgingByParts`), the maps that they have in
    common kept within `kept_bytes`; elsewhere many at once (`JudgingTogether`). Either way what is compiled
    for a resolution serves all subnets. `losses` of the latest call hold the mean cross-entropies in nats,
    which are finer than the error.
    """

    name = "error"
    unit = ""
    direction: Direction = "min"

    def __init__(
        self,
        space: SearchSpace,
        model: SupernetModel,
        params: Tree,
        pictures: Callable[[int], JudgingPictures],
        *,
        on_judged: Callable[[], None] = lambda: None,
        kept_bytes: int = KEPT_BYTES,
    ):
        """`pictures` gives what is judged by for a resolution; `on_judged` is called after each subnet."""
        self._space, self._pictures, self._on_judged = space, pictures, on_judged
        self._judges: dict[int, Judge] = {}
        self._new_judge = _maker(model, params, kept_bytes)
        self.losses: NDArray[np.float64] = np.zeros(0)

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Error rates float64 [A]."""
        results = np.zeros((len(architectures), 2))
        batch = controls(self._space, architectures)
        resolutions = np.array([a.resolution for a in architectures], int)
        for resolution in map(int, np.unique(resolutions)):
            if resolution not in self._judges:
                self._judges[resolution] = self._new_judge(self._pictures(resolution))
            places = np.flatnonzero(resolutions == resolution)
            members = [architectures[int(place)] for place in places]
            results[places] = self._judges[resolution](members, batch.at(places), self._on_judged)
        errors, self.losses = results.T
        return errors


def _maker(model: SupernetModel, params: Tree, kept_bytes: int) -> Callable[[JudgingPictures], Judge]:
    """What makes the judge of a resolution's pictures."""
    if jax.default_backend() != "cpu":
        return lambda pictures: JudgingTogether(model, params, pictures)
    parts, kept = [JudgedPart(part, params) for part in model.parts], RecentlyUsed(kept_bytes)
    return lambda pictures: JudgingByParts(parts, pictures, kept)
