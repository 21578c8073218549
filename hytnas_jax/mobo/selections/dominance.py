"""The batch whose acquisitions no other candidate's beat."""

import numpy as np
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function

from hytnas_jax.mobo.pareto import pareto_rank
from hytnas_jax.mobo.selections.base import Candidates


class Dominance:
    """Front by front of the scores, by non-dominated sorting (Deb et al. 2002).

    Of a front that the batch cuts, the most crowded are removed one by one, so that those taken spread
    along it (Kukkonen & Deb 2006). Candidates that more likely break a limit than keep all come last.
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
        """See `Selection`; only the scores and the probability matter, and nothing is random."""
        likely = candidates.probability >= 0.5
        chosen = np.zeros(0, np.int64)
        for group in (np.flatnonzero(likely), np.flatnonzero(~likely)):
            rank = pareto_rank(candidates.scores[group])
            for level in np.unique(rank):
                members = group[rank == level]
                chosen = np.append(chosen, _spread(members, candidates.scores, batch - len(chosen)))
        return chosen


def _spread(members: np.ndarray, scores: np.ndarray, most: int) -> np.ndarray:
    """The members, most of them kept where there are more, those with the most room first."""
    if most <= 0:
        return members[:0]
    room = get_crowding_function("pcd").do(scores[members], n_remove=max(len(members) - most, 0))
    return members[np.argsort(-room, kind="stable")][:most]
