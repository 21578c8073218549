"""The first architectures: uniform, different, within the limits, or a message that helps."""

import numpy as np
import pytest

from hytnas_jax.mobo import Limit, initial_design, spread_design
from hytnas_jax.mobo.design import draw_feasible
from supernet.errors import UserError

from .problems import CARDINALITIES, cost, two_objectives


def limited(maximum: float, cardinalities=CARDINALITIES):
    return two_objectives((Limit("cost_m", maximum, cost),), cardinalities)


def test_design_is_canonical_distinct_and_within_the_limits():
    problem = limited(10.0)
    genes = initial_design(problem, 30, np.random.default_rng(0))
    assert genes.shape == (30, 8)
    assert len(np.unique(genes, axis=0)) == 30
    assert (cost(genes) <= 10.0).all()
    np.testing.assert_array_equal(genes, problem.canonical(genes))
    np.testing.assert_array_equal(genes, initial_design(problem, 30, np.random.default_rng(0)))


def test_uniform():
    problem = two_objectives()
    genes = initial_design(problem, 2000, np.random.default_rng(0))
    shares = np.mean(genes[:, 2:, None] == np.arange(4), axis=0)
    np.testing.assert_allclose(shares, 0.25, atol=0.04)


def test_tight_limits_are_searched_for(caplog):
    # 8 genes of 12 choices: 8 of 4.3e8 codes have a cost of at most 1
    problem = limited(1.0, np.array([12] * 8))
    genes = initial_design(problem, 5, np.random.default_rng(0))
    assert len(genes) == 5
    assert (cost(genes) <= 1.0).all()
    assert "the limits are tight" in caplog.text


def test_impossible_limit_says_how_near_it_came():
    with pytest.raises(UserError) as raised:
        initial_design(limited(-1.0), 5, np.random.default_rng(0))
    message = str(raised.value)
    assert "cost_m <= -1: the nearest has 0 (genes [0, 0, 0, 0, 0, 0, 0, 0])" in message
    assert "Raise the limits" in message


def test_limits_that_exclude_each_other():
    limits = (Limit("small", 8.0, cost), Limit("large", -9.0, lambda genes: -cost(genes)))
    with pytest.raises(UserError, match=r"(?s)small <= 8.*\d+ keep this limit.*large <= -9") as raised:
        initial_design(two_objectives(limits), 5, np.random.default_rng(0))
    assert "; 0 keep this limit" not in str(raised.value)


def test_a_limit_without_numbers():
    problem = two_objectives((Limit("memory", 1.0, lambda g: np.full(len(g), np.nan)),))
    with pytest.raises(UserError, match="memory <= 1: has no finite value"):
        initial_design(problem, 5, np.random.default_rng(0))


def test_small_space_is_listed_exactly(caplog):
    # 2 x 2 x 2 codes; gene 1 is switched off where gene 0 is 0: 6 architectures
    problem = two_objectives(cardinalities=np.array([2, 2, 2]))
    assert len(initial_design(problem, 20, np.random.default_rng(0))) == 6
    assert "only 6 architectures within" in caplog.text
    genes, looked_at = draw_feasible(problem, 1, rng=np.random.default_rng(0), max_draws=1)
    assert len(genes) == 1
    assert len(looked_at) <= 6


def test_a_spread_design_lies_further_apart_than_a_random_one():
    problem = limited(14.0)
    spread = spread_design(problem, 8, np.random.default_rng(0))
    chance = initial_design(problem, 8, np.random.default_rng(0))
    assert spread.shape == (8, 8)
    assert problem.feasible(spread).all()
    np.testing.assert_array_equal(spread, problem.canonical(spread))

    def least_distance(genes: np.ndarray) -> float:
        distances = np.linalg.norm(genes[:, None] - genes[None], axis=2)
        return float(distances[~np.eye(len(genes), dtype=bool)].min())

    assert least_distance(spread) > 1.3 * least_distance(chance)
    np.testing.assert_array_equal(spread, spread_design(problem, 8, np.random.default_rng(0)))


def test_a_spread_design_of_more_than_there_is_gives_all():
    problem = two_objectives(cardinalities=np.array([2, 2, 2]))
    assert len(spread_design(problem, 50, np.random.default_rng(0))) == 6
