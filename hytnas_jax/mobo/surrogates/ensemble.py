"""The predictor of a surrogate that consists of several models."""

import dataclasses
from collections.abc import Callable

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble:
    """Mean and spread of K members; a draw is one of them.

    members: features [N, F] -> each member's prediction [K, N], K >= 2.
    widening: every member's distance from the mean is multiplied by it (see `widening`).
    """

    members: Callable[[np.ndarray], np.ndarray]
    widening: float = 1.0

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Predictor`."""
        predictions = np.asarray(self.members(features), np.float64)
        return predictions.mean(axis=0), self.widening * predictions.std(axis=0, ddof=1)

    def draw(self, rng: np.random.Generator) -> Function:
        """See `Predictor`."""
        share = rng.random()

        def member(features: np.ndarray) -> np.ndarray:
            predictions = np.asarray(self.members(features), np.float64)
            mean = predictions.mean(axis=0)
            return mean + self.widening * (predictions[int(share * len(predictions))] - mean)

        return member


def bootstrap_counts(n: int, num_members: int, rng: np.random.Generator) -> np.ndarray:
    """How often each member's bootstrap sample holds each of n points, int [num_members, n]."""
    return rng.multinomial(n, np.full(n, 1.0 / n), size=num_members)


def widening(predictions: np.ndarray, targets: np.ndarray, held_out: np.ndarray) -> float:
    """By what the members' spread has to be multiplied to be as large as their errors, at least 1.

    Members that agree with each other may be wrong together. What they are wrong by shows at the points
    that they were not fitted to: of B such members, mean m and variance s^2, a point's squared error
    (y - m)^2 is expected to be s^2 / B (m is of B members only) + widening^2 * s^2. Summed over the points
    with B >= 2. The targets' noise is among the errors, so it widens the spread too.

    Args:
        predictions: [K, N], of the members at the points they learn from. targets: [N].
        held_out: bool [K, N], which points a member was not fitted to.
    """
    count = held_out.sum(axis=0)
    known = count >= 2
    if not known.any():
        return 1.0
    predictions, targets = predictions[:, known], targets[known]
    held_out, count = held_out[:, known], count[known]
    mean = np.where(held_out, predictions, 0.0).sum(axis=0) / count
    variance = np.where(held_out, (predictions - mean) ** 2, 0.0).sum(axis=0) / (count - 1)
    if variance.sum() <= 0.0:
        return 1.0
    excess = np.sum((targets - mean) ** 2 - variance / count)
    return float(np.sqrt(max(excess / variance.sum(), 1.0)))
