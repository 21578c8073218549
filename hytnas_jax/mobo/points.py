"""Which points models learn from where there are more than they can be fitted to in seconds.

The choice depends on the points alone, so that a search that was killed makes the same one. Where there are
few enough it is `slice(None)`, which copies nothing: sums over a copy in another layout have other last bits.

Letters: N points, M objectives.
"""

import numpy as np

# The front is at most so large a share of the points that are chosen, and the most recent points are another.
# The rest is spread evenly over all others.
FRONT_SHARE, RECENT_SHARE = 0.25, 0.5

Rows = np.ndarray | slice


def evenly(num: int, most: int) -> Rows:
    """The rows of `most` of `num` points, rising, spread evenly over their order."""
    return slice(None) if num <= most else np.linspace(0, num - 1, most).round().astype(np.int64)


def far_apart(places: np.ndarray, most: int) -> Rows:
    """The rows of `most` of places [N, D], rising: each next one is the farthest from those before it.

    The first has the smallest first coordinate.
    """
    if len(places) <= most:
        return slice(None)
    return np.sort(farthest_first(places, most, int(np.argmin(places[:, 0]))))


def farthest_first(places: np.ndarray, num: int, first: int) -> np.ndarray:
    """`num` rows of places [N, D], `first` first, and each next one farthest from those before it (Kennard &
    Stone 1969, doi 10.1080/00401706.1969.10490666)."""
    chosen = [first]
    distance = np.full(len(places), np.inf)
    while len(chosen) < min(num, len(places)):
        distance = np.minimum(distance, np.sum((places - places[chosen[-1]]) ** 2, axis=1))
        distance[chosen[-1]] = -1.0
        chosen.append(int(np.argmax(distance)))
    return np.array(chosen)


def scaled(values: np.ndarray) -> np.ndarray:
    """values [N, D], so that each column spans 0 to 1."""
    span = np.ptp(values, axis=0) if len(values) else np.ones(values.shape[1])
    return values / np.where(span > 0.0, span, 1.0)


def representative(values: np.ndarray, front: np.ndarray, most: int) -> Rows:
    """The rows of `most` points, rising: of the front, the most recent, and some spread over the others.

    Where the front has more than its share, those of it are chosen that lie far from each other.

    Args:
        values: [N, M], in the order of evaluation. front: bool [N], which points are on the front.
    """
    num = len(values)
    if num <= most:
        return slice(None)
    chosen = np.arange(num) >= num - int(RECENT_SHARE * most)
    on_front = np.flatnonzero(front)
    chosen[on_front[far_apart(scaled(values[on_front]), int(FRONT_SHARE * most))]] = True
    others = np.flatnonzero(~chosen)
    chosen[others[evenly(len(others), most - int(chosen.sum()))]] = True
    return np.flatnonzero(chosen)
