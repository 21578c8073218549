"""The batch that is expected to improve the hypervolume most."""

import numpy as np

from hytnas_jax.mobo.pareto import hypervolume
from hytnas_jax.mobo.selections.base import Candidates

HOPE = 2.0


class HypervolumeImprovement:
    """One by one, the candidate whose predicted values add most to the hypervolume.

    Each pick's predicted values join the front before the next pick, so the batch spreads along it.
    Where no prediction adds anything, values `HOPE` standard deviations better decide; where not even
    those do, the candidate that is known least. All gains are
    multiplied by the probability of keeping the limits.
    """

    def __call__(
        self,
        candidates: Candidates,
        *,
        front: np.ndarray,
        reference: np.ndarray,
        batch: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """See `Selection`; nothing is random here."""
        mean, std = candidates.mean, candidates.std
        chosen: list[int] = []
        left = np.arange(len(mean))
        while len(chosen) < batch and len(left):
            gains = improvements(mean[left], front, reference)
            if gains.max() <= 0.0:
                gains = improvements(mean[left] - HOPE * std[left], front, reference)
            if gains.max() <= 0.0:
                gains = std[left].sum(axis=1)
            pick = left[np.argmax(gains * candidates.probability[left])]
            chosen.append(int(pick))
            left = left[left != pick]
            front = np.concatenate([front, mean[pick][None]])
        return np.array(chosen, np.int64)


def improvements(points: np.ndarray, front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The hypervolume that each of points [C, M] alone would add to front [P, M], float64 [C]."""
    base = hypervolume(front, reference)
    joined = (np.concatenate([front, point[None]]) for point in points)
    # a sum in another order may come out a rounding error below the base
    gains = np.array([hypervolume(values, reference) - base for values in joined])
    return np.where(gains > 1e-12, gains, 0.0)
