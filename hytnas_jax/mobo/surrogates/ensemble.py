"""The predictor of a surrogate that consists of several models."""

import dataclasses
from collections.abc import Callable

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble:
    """Mean and spread of K members; a draw is one of them.

    members: features [N, F] -> each member's prediction [K, N], K >= 2.
    """

    members: Callable[[np.ndarray], np.ndarray]
    num_members: int

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Predictor`."""
        predictions = np.asarray(self.members(features), np.float64)
        return predictions.mean(axis=0), predictions.std(axis=0, ddof=1)

    def draw(self, rng: np.random.Generator) -> Function:
        """See `Predictor`."""
        member = int(rng.integers(self.num_members))
        return lambda features: np.asarray(self.members(features)[member], np.float64)
