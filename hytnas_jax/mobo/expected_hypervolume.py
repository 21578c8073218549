"""Expected hypervolume improvement for two or more independent objectives, whatever their distributions.

Letters: C candidates, P points of a front, M objectives, Q quantiles of each, B boxes, K different bounds.
All is minimised.
"""

import numpy as np

# Numbers at a time: arrays [candidates, B] and [candidates, K, Q] stay within 32 MB.
MOST_NUMBERS = 2**22


def expected_improvement(quantiles: np.ndarray, front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """What each candidate alone is expected to add to the hypervolume of the front, float64 [C].

    The region that the front does not dominate is cut into boxes; a point (y_1 .. y_M) covers
    prod_m [(upper_m - y_m)+ - (lower_m - y_m)+] of a box, so that the expectation is a product, too
    (Yang et al. 2019, doi 10.1007/s10898-019-00798-7, there for normal distributions).

    Args:
        quantiles: [C, M, Q], rising: the values at the middles of Q equal shares of a prediction; all the
            same where a value is known.
        front: [P, M], P >= 0, M >= 2. reference: [M], the hypervolume's corner.
    """
    return expected_gain(quantiles, *boxes(front, reference))


def expected_gain(quantiles: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """What each candidate alone is expected to cover of disjoint boxes [B, M], float64 [C]."""
    places = [
        np.unique(np.concatenate([lower[:, m], upper[:, m]]), return_inverse=True)
        for m in range(lower.shape[1])
    ]
    gains = np.zeros(len(quantiles))
    widest = max(len(bounds) for bounds, _ in places) * quantiles.shape[2]
    step = max(MOST_NUMBERS // max(len(lower), widest), 1)
    for start in range(0, len(quantiles), step):
        part = quantiles[start : start + step]
        covered = np.ones((len(part), len(lower)))
        for m, (bounds, place) in enumerate(places):
            below = _expected_below(bounds, part[:, m])
            low, high = np.split(place, 2)
            covered *= np.maximum(below[:, high] - below[:, low], 0.0)
        gains[start : start + step] = covered.sum(axis=1)
    return gains


def boxes(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint boxes that fill what `front` [P, M] does not dominate below `reference` [M].

    Returns:
        lower [B, M], -inf where a box has no end, and upper [B, M].
    """
    front = front[np.all(front < reference, axis=1)]
    if len(reference) == 2:
        return _strips(front, reference)
    # slabs along the last objective; in each, the points below it leave a region of one dimension less
    front = front[np.argsort(front[:, -1], kind="stable")]
    ends = np.concatenate([[-np.inf], front[:, -1], reference[-1:]])
    lowers, uppers = [], []
    for k in np.flatnonzero(ends[:-1] < ends[1:]):
        lower, upper = boxes(front[:k, :-1], reference[:-1])
        lowers.append(np.column_stack([lower, np.full(len(lower), ends[k])]))
        uppers.append(np.column_stack([upper, np.full(len(upper), ends[k + 1])]))
    return np.concatenate(lowers), np.concatenate(uppers)


def _strips(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`boxes` of two objectives: one between each two neighbours, as high as the left one."""
    front = front[np.lexsort((front[:, 1], front[:, 0]))]
    heights = np.minimum.accumulate(np.append(reference[1], front[:, 1]))
    front = front[heights[1:] < heights[:-1]]
    starts = np.append(-np.inf, front[:, 0])
    lower = np.column_stack([starts, np.full(len(starts), -np.inf)])
    upper = np.column_stack([np.append(front[:, 0], reference[0]), np.append(reference[1], front[:, 1])])
    return lower, upper


def _expected_below(bounds: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """E[max(bound - y, 0)]: bounds [K], quantiles [C, Q] of y -> [C, K]."""
    finite = np.isfinite(bounds)
    expected = np.zeros((len(quantiles), len(bounds)))
    expected[:, finite] = np.maximum(bounds[finite, None] - quantiles[:, None, :], 0.0).mean(axis=2)
    return expected
