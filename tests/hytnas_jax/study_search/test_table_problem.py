"""A table as a problem: what the surrogates see, and what is known."""

from pathlib import Path

import numpy as np

from hytnas_jax.study_search.columns import parse_columns
from hytnas_jax.study_search.table import read_table
from hytnas_jax.study_search.table_problem import feature_vectors, level_vectors, table_problem

from .tables import FOUR_ROWS, four_rows, write


def test_categories_are_one_hot_and_numbers_ranks(tmp_path: Path) -> None:
    table = four_rows(tmp_path)
    expected = [[1, 0, 0, 0], [0, 1, 0, 0.5], [0, 0, 1, 1], [1, 0, 0, 1]]
    assert level_vectors(table, table.genes).tolist() == expected
    # the surrogates see the three levels of the number one-hot, too
    assert feature_vectors(table, table.genes).tolist() == [
        [*row, *one_hot] for row, one_hot in zip(expected, np.eye(3)[[0, 1, 2, 2]].tolist(), strict=True)
    ]
    seen = table_problem(table).features(table.genes[2:])
    assert seen.tolist() == feature_vectors(table, table.genes[2:]).tolist()


def test_a_feature_with_one_value_is_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "x,y,u,t\n1,5,1,1\n2,5,2,2\n")
    table = read_table(path, parse_columns(features=["x,y"], objectives=["u:max,t:min"]))
    assert feature_vectors(table, table.genes).tolist() == [[0, 0], [1, 0]]


def test_the_rows_are_all_there_is_and_known_objectives_are_looked_up(tmp_path: Path) -> None:
    columns = parse_columns(
        features=["kind,size"], objectives=["accuracy:max,time_ms:min"], known=["time_ms"]
    )
    table = read_table(write(tmp_path / "four.csv", FOUR_ROWS), columns)
    problem = table_problem(table)
    assert problem.listing is table.genes
    assert problem.cardinalities.tolist() == [3, 3]
    accuracy, time_ms = problem.objectives
    assert (accuracy.direction, accuracy.known) == ("max", None)
    assert time_ms.known is not None
    assert time_ms.known(table.genes[[1, 3]]).tolist() == [5, 10]
    drawn = problem.sample(np.random.default_rng(0), 50)
    assert {*map(tuple, drawn)} == {*map(tuple, table.genes)}
