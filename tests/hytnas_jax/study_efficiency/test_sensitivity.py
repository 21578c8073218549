"""Shares of variance against functions of which they are known."""

import numpy as np
import pytest
from tiny_space import SPACE as TINY

from hytnas_jax.study_efficiency.sensitivity import (
    Sensitivity,
    factorial_shares,
    families,
    sensitivity,
    single_genes,
)
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

# Genes in this order: depth, expansion, kernel (two choices each), width (three).
SPACE = SearchSpace(
    "four",
    (StageSpace(stride=1, depth=(1, 2), expansion=(1, 2), kernel=(3, 5), width=(4, 6, 8)),),
    resolution=(8,),
)
DEPTH, EXPANSION, KERNEL, WIDTH = range(4)


def additive(genes: np.ndarray) -> np.ndarray:
    """Variances 1/4 of the depth's index and 2/3 of the width's: shares 3/11 and 8/11."""
    return (genes[:, DEPTH] + genes[:, WIDTH])[:, None].astype(float)


def exclusive(genes: np.ndarray) -> np.ndarray:
    """All interaction of depth and expansion."""
    return (genes[:, DEPTH] != genes[:, EXPANSION])[:, None].astype(float)


def of(values, groups=None, samples: int = 4096) -> Sensitivity:
    groups = single_genes(SPACE) if groups is None else groups
    return sensitivity(SPACE, values, groups, samples=samples, rng=np.random.default_rng(0))


def test_an_additive_function_has_its_shares() -> None:
    found = of(additive)
    assert found.names == ("stage1.depth", "stage1.expansion", "stage1.kernel", "stage1.width")
    expected = np.array([[3 / 11], [0], [0], [8 / 11]])
    assert np.abs(found.first - expected).max() < 0.05
    assert np.abs(found.total - expected).max() < 0.05
    for interval in (found.first_interval, found.total_interval):
        assert interval.shape == (4, 1, 2)
        assert (interval[..., 0] <= expected).all()
        assert (expected <= interval[..., 1]).all()
        assert (np.diff(interval)[[DEPTH, WIDTH]] > 0.01).all()


def test_what_changes_nothing_has_a_total_of_zero() -> None:
    found = of(additive)
    assert found.total[[EXPANSION, KERNEL]].tolist() == [[0], [0]]
    assert found.total_interval[KERNEL].tolist() == [[0, 0]]


def test_an_interaction_is_in_the_total_alone() -> None:
    found = of(exclusive)
    assert np.abs(found.first).max() < 0.06
    assert np.allclose(found.total[:, 0], [1, 1, 0, 0], atol=0.05)


def test_a_group_of_genes_is_exchanged_as_one() -> None:
    found = of(exclusive, {"both": [DEPTH, EXPANSION], "width": [WIDTH]})
    assert np.allclose(found.first[:, 0], [1, 0], atol=0.05)
    assert np.allclose(found.total[:, 0], [1, 0], atol=0.05)


def test_several_values_are_evaluated_at_once_and_scale_does_not_count() -> None:
    found = of(lambda genes: np.hstack([additive(genes), exclusive(genes), 7 * additive(genes) - 3]))
    assert found.first.shape == found.total.shape == (4, 3)
    assert found.total_interval.shape == (4, 3, 2)
    alone = of(additive)
    assert np.allclose(found.first[:, [0]], alone.first)
    assert np.allclose(found.total[:, 2], found.total[:, 0])
    assert np.allclose(found.total_interval[:, [0]], alone.total_interval)  # the same draws


def test_one_group_of_one_value() -> None:
    found = of(additive, {"width": [WIDTH]})
    assert found.first.shape == (1, 1)
    assert abs(found.total[0, 0] - 8 / 11) < 0.05


def test_nothing_varies_and_no_share_is_left() -> None:
    found = of(lambda genes: np.full((len(genes), 1), 3.5))
    for shares in (found.first, found.total, found.first_interval, found.total_interval):
        assert not shares.any()


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="samples=100: must be a power of two"):
        of(additive, samples=100)
    with pytest.raises(ValueError, match="not finite"):
        of(lambda genes: np.full((len(genes), 1), np.nan))


def test_groups_of_genes() -> None:
    names = [gene.name for gene in TINY.genes]
    by_family = {k: [names[i] for i in v] for k, v in families(TINY).items()}
    assert by_family["width"] == ["stage1.width", "stage2.growth"]
    assert by_family["heads"] == ["stage1.heads", "stage2.heads"]
    assert by_family["block"] == ["stage1.block"]
    assert single_genes(TINY) == {name: [i] for i, name in enumerate(names)}
    for groups in (families(TINY), single_genes(TINY)):
        assert sorted(i for columns in groups.values() for i in columns) == list(range(len(names)))


@pytest.mark.parametrize(
    ("table", "first", "total"),
    [
        # Additive: means 0.5 and 2.5 of the rows (variance 1), 1 and 2 of the columns (1/4); 5/4 in all.
        ([[0, 1], [2, 3]], [0.8, 0.2], [0.8, 0.2]),
        # Pure interaction: all means are 1/2.
        ([[0, 1], [1, 0]], [0, 0], [1, 1]),
        # Variance 3; means 0 and 2 of either axis (1); variances along it 0 and 4 (2 in the mean).
        ([[0, 0], [0, 4]], [1 / 3, 1 / 3], [2 / 3, 2 / 3]),
        # An axis of one level, and one of three with the variance 2/3.
        ([[[1], [2], [3]]], [0, 1, 0], [0, 1, 0]),
        ([[5, 5], [5, 5]], [0, 0], [0, 0]),
    ],
)
def test_shares_of_a_table(table: list, first: list[float], total: list[float]) -> None:
    found_first, found_total = factorial_shares(np.array(table, float))
    assert np.allclose(found_first, first)
    assert np.allclose(found_total, total)


def test_a_table_with_a_hole_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        factorial_shares(np.array([[1.0, np.nan]]))


def test_the_estimate_is_that_of_the_whole_table() -> None:
    """Every code once: 24 products of depth + 1 and width + 1, in logarithms and not."""
    codes = np.stack(np.meshgrid(*map(np.arange, SPACE.cardinalities), indexing="ij"), -1)

    def product(genes: np.ndarray) -> np.ndarray:
        return ((genes[:, DEPTH] + 1.0) * (genes[:, WIDTH] + 1.0))[:, None]

    table = product(codes.reshape(-1, 4)).reshape(SPACE.cardinalities)
    first, total = factorial_shares(table)
    assert (total - first)[[DEPTH, WIDTH]].min() > 0.02  # they interact
    found = of(product, samples=2**15)
    assert np.abs(found.first[:, 0] - first).max() < 0.03
    assert np.abs(found.total[:, 0] - total).max() < 0.03
    first, total = factorial_shares(np.log(table))
    assert np.allclose(first, total)
