"""Rank correlations against values counted by hand."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from proxies.ranking import kendall_tau, partial_tau, spearman_rho, tau_b, top_recall


def test_kendall_by_hand() -> None:
    # Of the 6 pairs of [1 2 3 4] and [1 3 2 4], 5 agree and 1 does not: (5 - 1) / 6.
    agreement = kendall_tau([1, 2, 3, 4], [1, 3, 2, 4])
    assert agreement.tau == pytest.approx(4 / 6)
    assert agreement.n == 4


def test_kendall_with_ties_by_hand() -> None:
    # Pairs of [1 1 2 3] with [1 2 3 4]: 5 agree, one is tied in a. tau-b = 5 / sqrt(5 * 6).
    assert kendall_tau([1, 1, 2, 3], [1, 2, 3, 4]).tau == pytest.approx(5 / math.sqrt(30))


def test_top_recall_by_hand() -> None:
    truth = np.arange(10.0)
    assert top_recall(truth, truth, fraction=0.2) == 1.0
    assert top_recall(-truth, truth, fraction=0.2) == 0.0
    one_of_two = np.array([0, 1, 2, 3, 4, 5, 6, 9, 7, 8.0])  # its best are the truth's 7 and 9
    assert top_recall(one_of_two, truth, fraction=0.2) == 0.5
    tied = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1.0])  # two of three: each of the two best is in by 2/3
    assert top_recall(tied, truth, fraction=0.2) == pytest.approx(2 / 3)
    assert top_recall(truth, truth, fraction=0.01) == 1.0  # at least one
    assert math.isnan(top_recall(np.ones(10), truth, fraction=0.2))


def test_partial_tau_by_hand() -> None:
    a, b, given = [1, 2, 3, 4], [1, 3, 2, 4], [2, 1, 3, 4]
    # tau: a b 2/3, a given 2/3, b given 1/3 (two of six pairs are discordant)
    expected = (2 / 3 - 2 / 9) / math.sqrt((1 - 4 / 9) * (1 - 1 / 9))
    assert partial_tau(a, b, given) == pytest.approx(expected)
    assert math.isnan(partial_tau(a, b, a))


def test_spearman_by_hand() -> None:
    # 1 - 6 * sum(d^2) / (n (n^2 - 1)) with d = 0, 1, 1, 0.
    assert spearman_rho([1, 2, 3, 4], [10, 30, 20, 40]) == pytest.approx(1 - 6 * 2 / 60)
    # Ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, variances 1.5 and 2.
    assert spearman_rho([5, 5, 9], [1, 2, 3]) == pytest.approx(1.5 / math.sqrt(1.5 * 2))


@pytest.mark.parametrize("count", [3, 40, 200, 201])
@pytest.mark.parametrize("choices", [4, 1000])
def test_correlations_are_those_of_scipy(count: int, choices: int) -> None:
    """With many ties and with few, of few values and of many; infinities are values."""
    rng = np.random.default_rng(count)
    a, b = rng.integers(0, choices, (2, count)).astype(float)
    a[:2], b[-2:] = (-math.inf, 1), (0, math.inf)
    assert tau_b(a, b) == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-12)
    ranks = stats.rankdata(a), stats.rankdata(b)
    assert spearman_rho(a, b) == pytest.approx(stats.pearsonr(*ranks).statistic, abs=1e-12)


def test_perfect_orders() -> None:
    values = np.arange(20.0)
    for other, expected in ((values**3, 1), (-values, -1)):
        agreement = kendall_tau(values, other)
        assert dataclasses.astuple(agreement) == pytest.approx((expected, expected, expected, 20))
    assert (spearman_rho(values, values**3), spearman_rho(values, -values)) == pytest.approx((1, -1))


def test_interval_holds_the_value_and_narrows() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=200)
    b = a + rng.normal(size=200)
    few, many = kendall_tau(a[:30], b[:30]), kendall_tau(a, b)
    for agreement in (few, many):
        assert agreement.low < agreement.tau < agreement.high
    assert many.high - many.low < (few.high - few.low) / 1.5
    # Normal pairs of correlation 1 / sqrt(2): tau = 2 / pi * asin(rho) = 0.5.
    assert many.low < 0.5 < many.high


def test_same_seed_same_interval() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 15))
    assert kendall_tau(a, b, seed=4) == kendall_tau(a, b, seed=4)
    assert kendall_tau(a, b, seed=4) != kendall_tau(a, b, seed=5)


def test_nan_pairs_are_left_out() -> None:
    a = [1, 2, math.nan, 3, 4, 5]
    b = [1, 3, 9, 2, 4, math.nan]
    assert kendall_tau(a, b) == kendall_tau([1, 2, 3, 4], [1, 3, 2, 4])
    assert spearman_rho(a, b) == spearman_rho([1, 2, 3, 4], [1, 3, 2, 4])


def test_infinity_is_ranked() -> None:
    assert kendall_tau([1, 2, 3, math.inf], [-math.inf, 2, 3, 4]).tau == pytest.approx(1)
    assert spearman_rho([1, 2, 3, math.inf], [-math.inf, 2, 3, 4]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("a", "b"), [([], []), ([1, 2], [1, 2]), ([1, 2, math.nan], [1, 2, 3]), ([1, 1, 1, 1], [1, 2, 3, 4])]
)
def test_nothing_to_rank_is_nan(a: list[float], b: list[float]) -> None:
    agreement = kendall_tau(a, b)
    assert math.isnan(agreement.tau)
    assert math.isnan(agreement.low)
    assert math.isnan(agreement.high)
    assert agreement.n == sum(not math.isnan(v) for v in a)
    assert math.isnan(spearman_rho(a, b))


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(3,\) and \(2,\)"):
        kendall_tau([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="vectors of one length"):
        spearman_rho([[1, 2]], [[1, 2]])
