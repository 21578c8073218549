"""An estimator as a function of genes. Letters: N codes, G genes."""

from typing import Generic, TypeVar

import numpy as np

from proxies.base import Estimator
from supernet.row_keys import row_keys
from supernet.search_space import SearchSpace

# Known values are kept to so many decimals, latencies to the nanosecond: the last bits of a matrix product
# depend on how many networks are asked for at once, and a search that goes on must see what it saw before.
DECIMALS = 6
# So many architectures are remembered, some 30 MB; then all are forgotten. A search of thousands of
# evaluations asks for a million.
MOST_REMEMBERED = 2**16
EstimatorT = TypeVar("EstimatorT", bound=Estimator)


class CachedEstimator(Generic[EstimatorT]):
    """An estimator as a function of codes [N, G] -> float64 [N] that remembers what it has estimated.

    The search asks for some 2,500 architectures a batch, and for many of them several times.
    """

    def __init__(self, space: SearchSpace, estimator: EstimatorT) -> None:
        self.estimator = estimator
        self._space = space
        self._values: dict[bytes, float] = {}

    def change(self, estimator: EstimatorT) -> None:
        """Estimate by another one from now on; nothing of the one before is remembered."""
        self.estimator = estimator
        self._values.clear()

    def __call__(self, genes: np.ndarray) -> np.ndarray:
        genes = self._space.canonical(genes)
        keys = row_keys(genes)
        if len(self._values) > MOST_REMEMBERED:
            self._values.clear()
        new = {key: row for key, row in zip(keys, genes, strict=True) if key not in self._values}
        if new:
            architectures = self._space.decode_all(np.stack(list(new.values())))
            values = np.round(self.estimator(architectures), DECIMALS)
            self._values.update(zip(new, values.tolist(), strict=True))
        return np.array([self._values[key] for key in keys], np.float64)
