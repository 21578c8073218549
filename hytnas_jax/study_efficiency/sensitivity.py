"""Which genes move a number most: shares of its variance over a space.

First-order share of a group of genes: the part of the variance that knowing the group alone would take away.
Total share: the part that is left while only the group is unknown, its interactions with others included
(Sobol 2001, Mathematics and Computers in Simulation 55, 271-280). Where nothing interacts both are equal and
add up to 1; else the totals add up to more. Letters: N codes, G genes, K groups, Q numbers.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from supernet.search_space import SearchSpace

Values = Callable[[NDArray[np.int64]], NDArray[np.float64]]  # codes [N, G] -> numbers [N, Q]
Groups = Mapping[str, Sequence[int]]  # name -> which of the G genes

RESAMPLES = 1000
COVERED = 0.95


@dataclasses.dataclass(frozen=True, eq=False)
class Sensitivity:
    """Shares of variance of the groups called `names`, [K, Q], and the intervals [K, Q, 2] (low, high) that
    hold the true ones with a probability of 95%."""

    names: tuple[str, ...]
    first: NDArray[np.float64]
    total: NDArray[np.float64]
    first_interval: NDArray[np.float64]
    total_interval: NDArray[np.float64]


def sensitivity(
    space: SearchSpace, values: Values, groups: Groups, *, samples: int, rng: np.random.Generator
) -> Sensitivity:
    """First-order and total shares of variance of groups of genes (Saltelli et al. 2010, Computer Physics
    Communications 181, 259-270, table 2 b and f).

    Genes are drawn uniformly and independently of one another, which these shares presuppose: the space's
    constraints are not looked at. `values` is called K + 2 times, with `samples` codes. Estimates scatter
    about the exact shares, a first-order share of nothing to below 0 too; the total of genes that change
    nothing is exactly 0.

    The intervals are percentiles of a bootstrap over the codes. SciPy's own takes n^2 operations for n codes
    (8 seconds for 41 groups and 2048 codes) and cannot be seeded.

    Args:
        values: give logarithms of what is a cost: a share then is one of relative differences, while of the
            plain numbers a few of the largest networks make the variance nearly alone.
        groups: what is exchanged as one, e.g. `families(space)`.
        samples: a power of two; 2048 tell a large share to about 0.04.

    Raises:
        ValueError: `samples` is no power of two, or a value is not finite.
    """
    if samples < 2 or samples & (samples - 1):
        raise ValueError(f"samples={samples}: must be a power of two")
    shape = (samples, len(space.genes))
    codes, others = (rng.integers(0, space.cardinalities, shape) for _ in range(2))
    evaluated = [values(codes), values(others)]
    for columns in groups.values():
        exchanged = codes.copy()
        exchanged[:, list(columns)] = others[:, list(columns)]
        evaluated.append(values(exchanged))
    table = np.asarray(evaluated, np.float64).transpose(0, 2, 1)  # [K + 2, Q, N]
    if not np.isfinite(table).all():
        raise ValueError("a value is not finite")
    parts = (table[0], table[1], table[2:])
    return Sensitivity(tuple(groups), *_indices(*parts), *_intervals(*parts, rng))


def families(space: SearchSpace) -> dict[str, list[int]]:
    """A group for each family of genes: resolution, block, depth, ...; a stage's growth is of its width."""
    return _grouped([gene.family for gene in space.genes])


def single_genes(space: SearchSpace) -> dict[str, list[int]]:
    """A group for each gene."""
    return _grouped([gene.name for gene in space.genes])


def factorial_shares(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact first-order and total shares [K] of the variance of a full factorial table [L1, ..., LK].

    An analysis of variance on a balanced design: every combination of the K axes' levels is there once. Zeros
    where nothing varies. Raises ValueError for a value that is not finite.
    """
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite")
    axes = range(values.ndim)
    first = [values.mean(axis=tuple(other for other in axes if other != axis)).var() for axis in axes]
    total = [values.var(axis=axis).mean() for axis in axes]
    return _ratio(np.array(first), values.var()), _ratio(np.array(total), values.var())


def _grouped(names: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(name, []).append(index)
    return groups


def _indices(
    f_a: NDArray[np.float64], f_b: NDArray[np.float64], f_ab: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and total [Q, K] of values [Q, N], [Q, N], [K, Q, N] -> each [K, Q].

    SciPy squeezes axes of length 1 and fails where both are; a second group, the first again, keeps them.
    """
    padded = np.concatenate([f_ab, f_ab[:1]])
    found = scipy.stats.sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": padded}, n=f_a.shape[1])
    first, total = (
        np.reshape(order, (len(f_a), len(padded))) for order in (found.first_order, found.total_order)
    )
    return first[:, :-1].T, total[:, :-1].T


def _intervals(
    f_a: NDArray[np.float64], f_b: NDArray[np.float64], f_ab: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bootstrap intervals [K, Q, 2] of both shares; the estimators are means, and so products with counts."""
    num_groups, num_values, num_codes = f_ab.shape
    counts = rng.multinomial(num_codes, np.full(num_codes, 1 / num_codes), RESAMPLES) / num_codes  # [R, N]
    center = np.mean([f_a, f_b], axis=(0, -1))[:, None]
    f_a, f_b, f_ab = f_a - center, f_b - center, f_ab - center
    variance = counts @ ((f_a**2 + f_b**2) / 2).T - (counts @ ((f_a + f_b) / 2).T) ** 2  # [R, Q]
    ends = np.array([(1 - COVERED) / 2, (1 + COVERED) / 2])
    intervals = []
    for terms in (f_b * (f_ab - f_a), (f_a - f_ab) ** 2 / 2):
        means = (counts @ terms.reshape(-1, num_codes).T).reshape(RESAMPLES, num_groups, num_values)
        shares = _ratio(means, variance[:, None])
        intervals.append(np.moveaxis(np.quantile(shares, ends, axis=0), 0, -1))
    return intervals[0], intervals[1]


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Zero where there is nothing of which it could be a share."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
