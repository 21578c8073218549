"""Searches of a small table: paired, without repetition, the same whenever they are made."""

from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.ratio import hypervolume_ratios
from hytnas_jax.study_search.strategies import make_strategies
from hytnas_jax.study_search.trajectories import initial_rows, run_search

from .tables import THREE_OBJECTIVES, TWO_OBJECTIVES, grid

BUDGET = StudyBudget(evaluations=15, initial=6, initial_design="random")
STRATEGIES = make_strategies(surrogates=(), acquisitions=(), selections=(), batches=(1, 4))


def test_a_random_design_is_the_beginning_of_the_permutation_and_nothing_else(tmp_path: Path) -> None:
    table = grid(tmp_path)
    for seed in (0, 7):
        expected = np.random.default_rng(seed).permutation(36)[:6]
        np.testing.assert_array_equal(initial_rows(table, BUDGET, seed), expected)


def test_our_design_is_of_the_table_and_of_the_seed(tmp_path: Path) -> None:
    table = grid(tmp_path)
    budget = StudyBudget(evaluations=15, initial=6, initial_design="ours")
    rows = initial_rows(table, budget, seed=1)
    assert len(set(rows.tolist())) == 6
    np.testing.assert_array_equal(rows, initial_rows(table, budget, seed=1))
    assert rows.tolist() != initial_rows(table, budget, seed=2).tolist()


@pytest.mark.parametrize("objectives", [TWO_OBJECTIVES, THREE_OBJECTIVES], ids=["two", "three"])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_search_begins_like_all_others_and_never_repeats_itself(
    strategy, objectives: str, tmp_path: Path
) -> None:
    table = grid(tmp_path, objectives)
    made = run_search(table, strategy, BUDGET, seed=3)
    assert made.rows[:6].tolist() == np.random.default_rng(3).permutation(36)[:6].tolist()
    assert len(set(made.rows.tolist())) == 15
    np.testing.assert_array_equal(made.hypervolume_ratios, hypervolume_ratios(table, made.rows))
    assert (made.seconds[:6] == 0).all()
    assert (made.seconds[6:] > 0).all()
    again = run_search(table, strategy, BUDGET, seed=3)
    np.testing.assert_array_equal(made.rows, again.rows)


def test_the_whole_table_can_be_searched_and_a_batch_shares_its_time(tmp_path: Path) -> None:
    table = grid(tmp_path)
    budget = StudyBudget(evaluations=36, initial=26, initial_design="random")
    for strategy in STRATEGIES:
        made = run_search(table, strategy, budget, seed=0)
        assert sorted(made.rows.tolist()) == list(range(36))
        assert made.hypervolume_ratios[-1] == pytest.approx(1.0, abs=1e-12)
        if strategy.name == "default/4":  # batches of 4, 4 and what is left
            assert [len(set(part)) for part in np.split(made.seconds[26:], [4, 8])] == [1, 1, 1]


def test_random_search_goes_on_with_the_permutation(tmp_path: Path) -> None:
    random, nsga2, *_ = STRATEGIES
    table = grid(tmp_path)
    rows = run_search(table, random, BUDGET, seed=5).rows
    assert rows.tolist() == np.random.default_rng(5).permutation(36)[:15].tolist()
    other = run_search(table, nsga2, BUDGET, seed=5).rows
    assert rows.tolist() != other.tolist()
