"""The batch that is expected to improve the hypervolume most."""

import numpy as np

from hytnas_jax.mobo.expected_hypervolume import expected_improvement
from hytnas_jax.mobo.selections.base import Candidates


class HypervolumeImprovement:
    """One by one, the candidate with the largest expected hypervolume improvement.

    Each pick's predicted values join the front before the next pick, so the batch spreads along it.
    Where no gain is left that is more than a rounding error, the candidate that is known least is taken.
    All gains are multiplied by the probability of keeping the limits.
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
        chosen: list[int] = []
        left = np.arange(len(candidates))
        while len(chosen) < batch and len(left):
            gains = expected_improvement(candidates.quantiles[left], front, reference)
            if gains.max() <= 1e-15:
                gains = candidates.std[left].sum(axis=1)
            pick = left[np.argmax(gains * candidates.probability[left])]
            chosen.append(int(pick))
            left = left[left != pick]
            front = np.concatenate([front, candidates.mean[pick][None]])
        return np.array(chosen, np.int64)
