"""How well an estimate ranks architectures: rank correlations, and how sure they are.

Pairs in which either value is NaN (a failed measurement) are left out; infinities are ranked as such. With
fewer than three pairs left, or where all values of one side are equal, there is no ranking to agree with and
the result is NaN.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

MIN_PAIRS = 3
# Of so few values, all pairs at once take less time than SciPy takes to sort: a twentieth, of 12.
_FEW = 200


@dataclasses.dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b with a percentile bootstrap interval over the `n` pairs it was computed from."""

    tau: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.tau:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"


def kendall_tau(
    a: ArrayLike, b: ArrayLike, *, num_resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> RankAgreement:
    """Kendall's tau-b (corrected for ties) of values [N] and [N] for the same architectures.

    The interval holds the middle `confidence` of the taus of `num_resamples` resamples of the pairs.

    Raises:
      ValueError: the two are not one-dimensional and of the same length.

    Examples:
      >>> from proxies import kendall_tau
      >>> agreement = kendall_tau([0.1, 0.2, 0.3, 0.4, 0.5], [1, 2, 3, 5, 4])
      >>> round(agreement.tau, 3), agreement.n
      (0.8, 5)
    """
    x, y = _complete_pairs(a, b)
    tau = _tau(x, y)
    if math.isnan(tau):
        return RankAgreement(math.nan, math.nan, math.nan, len(x))
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(x), (num_resamples, len(x)))
    taus = np.array([_tau(x[draw], y[draw]) for draw in draws])
    tail = (1 - confidence) / 2
    # A resample of one architecture again and again ranks nothing: NaN, passed over.
    low, high = np.nanquantile(taus, [tail, 1 - tail])
    return RankAgreement(tau, float(low), float(high), len(x))


def tau_b(a: ArrayLike, b: ArrayLike) -> float:
    """Kendall's tau-b alone.

    Raises:
      ValueError: the two are not one-dimensional and of the same length.
    """
    return _tau(*_complete_pairs(a, b))


def spearman_rho(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rho: Pearson's correlation of the ranks, ties at their mean rank.

    Raises:
      ValueError: the two are not one-dimensional and of the same length.
    """
    x, y = _complete_pairs(a, b)
    if not _has_ranking(x, y):
        return math.nan
    one, other = _ranks(x), _ranks(y)
    return float(one @ other / math.sqrt((one @ one) * (other @ other)))


def partial_tau(a: ArrayLike, b: ArrayLike, given: ArrayLike) -> float:
    """Kendall's partial tau of [N] and [N] given [N]: what `a` says of `b` that `given` does not say.

    (tau_ab - tau_ag tau_bg) / sqrt((1 - tau_ag^2) (1 - tau_bg^2)); Kendall 1942. NaN where `given` ranks as
    one of the two does.

    Raises:
      ValueError: the three are not one-dimensional and of the same length.
    """
    with_b, with_given, between = tau_b(a, b), tau_b(a, given), tau_b(b, given)
    scale = (1 - with_given**2) * (1 - between**2)
    return (with_b - with_given * between) / math.sqrt(scale) if scale > 1e-12 else math.nan


def top_recall(estimate: ArrayLike, truth: ArrayLike, *, fraction: float) -> float:
    """The part of the truly best `fraction` of [N] that is among the estimate's best; more is better in both.

    At least one is looked for. Of networks that the estimate has tied at the edge, each counts in part: what
    would be expected if chance decided.

    Raises:
      ValueError: the two are not one-dimensional and of the same length.
    """
    x, y = _complete_pairs(estimate, truth)
    if not _has_ranking(x, y):
        return math.nan
    count = max(1, round(fraction * len(x)))
    best = np.argsort(-y, kind="stable")[:count]
    edge = np.sort(x)[-count]
    above, tied = x > edge, x == edge
    share = (count - above.sum()) / tied.sum()
    return float(np.sum(above[best] + share * tied[best]) / count)


def _complete_pairs(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"a and b: expected two vectors of one length, got {x.shape} and {y.shape}")
    complete = ~(np.isnan(x) | np.isnan(y))
    return x[complete], y[complete]


def _has_ranking(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    return len(x) >= MIN_PAIRS and bool((x != x[0]).any() and (y != y[0]).any())


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks less their mean; ties at their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place] - (len(values) + 1) / 2


def _tau(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if not _has_ranking(x, y):
        return math.nan
    if len(x) > _FEW:
        return float(stats.kendalltau(x, y).statistic)
    one, other = _orders(x), _orders(y)
    return float(one @ other / math.sqrt((one @ one) * (other @ other)))


def _orders(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each two values, which is larger: 1, -1, or 0 for ties, [N * N]."""
    larger = values[:, None] > values
    return (larger.astype(np.float64) - larger.T).ravel()
