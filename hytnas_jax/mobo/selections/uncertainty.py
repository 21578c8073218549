"""The batch that is known least."""

import numpy as np

from hytnas_jax.mobo.selections.base import Candidates


class Uncertainty:
    """The largest deviations, summed over the objectives, times the probability of keeping the limits.

    The candidates are promising already: of them, those are evaluated that teach most (Belakaria et al.
    2020, arXiv 2204.05944, with the sum in place of a product, because a known objective's is 0).
    Neighbours are not kept apart: the batch may lie close together.
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
        """See `Selection`; nothing else matters, and nothing is random."""
        worth = candidates.std.sum(axis=1) * candidates.probability
        return np.argsort(-worth, kind="stable")[:batch]
