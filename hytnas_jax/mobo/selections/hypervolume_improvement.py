"""The batch that is expected to improve the hypervolume most."""

import numpy as np

from hytnas_jax.mobo.expected_hypervolume import boxes, expected_gain
from hytnas_jax.mobo.points import far_apart
from hytnas_jax.mobo.selections.base import Candidates

# Of fronts of two, three and four objectives: a point more is another box with two, hundreds with four.
MOST_OF_FRONT = {2: 2_048, 3: 512, 4: 128}
# Gains are computed anew for so many candidates at a time.
BLOCK = 32
# Rounding errors of gains: relative, and of volumes around 1.
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# A gain that is no more than this is a rounding error.
NO_GAIN = 1e-15
# More than any gain.
UNKNOWN_GAIN = 1e300


class HypervolumeImprovement:
    """One by one, the candidate with the largest expected hypervolume improvement.

    Each pick's predicted values join the front before the next pick, so the batch spreads along it.
    Where no gain is left that is more than a rounding error, the candidate that is known least is taken.
    All gains are multiplied by the probability of keeping the limits. Where the front has more points than
    `MOST_OF_FRONT`, those that lie far from each other stand for all.

    A pick makes no other gain larger. So gains are computed anew from the largest on, until one of them is
    larger than all those that were not: the picks are the same as if all were computed anew.
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
        front = front[far_apart(front, MOST_OF_FRONT[front.shape[1]])]
        chosen: list[int] = []
        left = np.ones(len(candidates), bool)
        gains = np.full(len(candidates), UNKNOWN_GAIN)
        while len(chosen) < batch and left.any():
            _renew(gains, left, candidates, boxes(front, reference))
            worth = candidates.std.sum(axis=1) if gains[left].max() <= NO_GAIN else gains
            pick = int(np.argmax(np.where(left, worth * candidates.probability, -1.0)))
            chosen.append(pick)
            left[pick] = False
            front = np.concatenate([front, candidates.mean[pick][None]])
        return np.array(chosen, np.int64)


def _renew(
    gains: np.ndarray, left: np.ndarray, candidates: Candidates, region: tuple[np.ndarray, np.ndarray]
) -> None:
    """Compute gains [C] of the candidates `left` anew, in place, until it is certain which is worth most.

    Args:
        gains: at least what they are. region: the boxes that the front leaves.
    """
    old = left.copy()
    while old.any():
        worth, new = gains * candidates.probability, left & ~old
        if new.any() and worth[new].max() > worth[old].max() * (1.0 + RELATIVE) + ABSOLUTE:
            return
        rows = np.flatnonzero(old)
        rows = rows[np.argsort(-worth[rows], kind="stable")][:BLOCK]
        gains[rows] = expected_gain(candidates.quantiles[rows], *region)
        old[rows] = False
