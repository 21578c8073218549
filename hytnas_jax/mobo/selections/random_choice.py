"""A batch by chance."""

import numpy as np

from hytnas_jax.mobo.selections.base import Candidates


class RandomChoice:
    """Each candidate is as likely as it is to keep the limits: uniform where they are known to be kept."""

    def __call__(
        self,
        candidates: Candidates,
        *,
        front: np.ndarray,
        reference: np.ndarray,
        batch: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """See `Selection`; `front` and `reference` do not matter."""
        if len(candidates) == 0:
            return np.zeros(0, np.int64)
        # the hopeless fill a batch that is not full without them
        weights = np.maximum(candidates.probability, 1e-6)
        size = min(batch, len(candidates))
        return rng.choice(len(candidates), size, replace=False, p=weights / weights.sum())
