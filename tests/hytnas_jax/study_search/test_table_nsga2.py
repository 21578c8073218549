"""NSGA-II over rows: children are the nearest new rows, and evolution beats chance."""

from pathlib import Path

import numpy as np

from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.columns import parse_columns
from hytnas_jax.study_search.strategies import make_strategies
from hytnas_jax.study_search.table import read_table
from hytnas_jax.study_search.trajectories import run_search

from .tables import write

RANDOM, NSGA2, _ = make_strategies(surrogates=(), acquisitions=(), selections=(), batches=(1,))


def test_of_a_line_it_finds_the_end_that_is_best(tmp_path: Path) -> None:
    """1,000 rows in a row; both objectives fall towards the last: 1 of 1,000 is the front."""
    lines = [f"{x},{(999 - x) ** 2},{999 - x}" for x in range(1000)]
    path = write(tmp_path / "line.csv", "x,u,t\n" + "\n".join(lines))
    table = read_table(path, parse_columns(features=["x"], objectives=["u:min,t:min"]))
    budget = StudyBudget(evaluations=40, initial=8, initial_design="random")
    best = {
        strategy.name: [run_search(table, strategy, budget, seed).rows.max() for seed in range(5)]
        for strategy in (RANDOM, NSGA2)
    }
    assert np.mean(best["nsga2"]) > np.mean(best["random"])
    assert np.median(best["nsga2"]) >= 990
