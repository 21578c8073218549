"""Expected hypervolume improvement for any number of independent objectives, whatever their distributions.

Letters: C candidates, P points of a front, M objectives, Q quantiles of each, B boxes, K different bounds.
All is minimised.
"""

import moocore
import numpy as np

# Candidates at a time: [chunk, K, Q] arrays stay within some tens of megabytes.
CHUNK = 1_000


def expected_improvement(quantiles: np.ndarray, front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """What each candidate alone is expected to add to the hypervolume of the front, float64 [C].

    The region that the front does not dominate is cut into boxes; a point (y_1 .. y_M) covers
    prod_m [(upper_m - y_m)+ - (lower_m - y_m)+] of a box, so that the expectation is a product, too
    (Yang et al. 2019, doi 10.1007/s10898-019-00798-7, there for normal distributions).

    Args:
        quantiles: [C, M, Q], rising: the values at the middles of Q equal shares of a prediction; all the
            same where a value is known.
        front: [P, M], P >= 0. reference: [M], the hypervolume's corner.
    """
    lower, upper = boxes(front, reference)
    gains = np.zeros(len(quantiles))
    for start in range(0, len(quantiles), CHUNK):
        part = quantiles[start : start + CHUNK]
        covered = np.ones((len(part), len(lower)))
        for m in range(len(reference)):
            bounds, places = np.unique(np.concatenate([lower[:, m], upper[:, m]]), return_inverse=True)
            below = _expected_below(bounds, part[:, m])
            low, high = places[: len(lower)], places[len(lower) :]
            covered *= np.maximum(below[:, high] - below[:, low], 0.0)
        gains[start : start + CHUNK] = covered.sum(axis=1)
    return gains


def boxes(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint boxes that fill what `front` [P, M] does not dominate below `reference` [M].

    Returns:
        lower [B, M], -inf where a box has no end, and upper [B, M].
    """
    front = front[np.all(front < reference, axis=1)]
    if len(front):
        front = np.unique(front[moocore.is_nondominated(front)], axis=0)
    if len(reference) == 1:
        best = front[:1] if len(front) else reference[None]
        return np.full((1, 1), -np.inf), best
    # slabs along the last objective; in each, the points below it leave a region of one dimension less
    front = front[np.argsort(front[:, -1], kind="stable")]
    ends = np.concatenate([[-np.inf], front[:, -1], reference[-1:]])
    lowers, uppers = [], []
    for k in range(len(ends) - 1):
        if ends[k] < ends[k + 1]:
            lower, upper = boxes(front[:k, :-1], reference[:-1])
            lowers.append(np.insert(lower, lower.shape[1], ends[k], axis=1))
            uppers.append(np.insert(upper, upper.shape[1], ends[k + 1], axis=1))
    return np.concatenate(lowers), np.concatenate(uppers)


def _expected_below(bounds: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """E[max(bound - y, 0)]: bounds [K], quantiles [C, Q] of y -> [C, K]."""
    finite = np.isfinite(bounds)
    expected = np.zeros((len(quantiles), len(bounds)))
    expected[:, finite] = np.maximum(bounds[finite, None] - quantiles[:, None, :], 0.0).mean(axis=2)
    return expected
