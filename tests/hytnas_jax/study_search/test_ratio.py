"""The ratio against areas worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.study_search.columns import parse_columns
from hytnas_jax.study_search.ratio import hypervolume_ratios, scaled_values
from hytnas_jax.study_search.table import read_table

from .tables import four_rows, write


def test_every_objective_is_turned_and_scaled_over_the_whole_table(tmp_path: Path) -> None:
    assert scaled_values(four_rows(tmp_path)).tolist() == [[0, 1], [0.5, 0.5], [1, 0], [1, 1]]


def test_two_objectives_by_hand(tmp_path: Path) -> None:
    """Up to (1.1, 1.1): D covers 0.1 x 0.1, B 0.6 x 0.6; A adds 0.5 x 0.1 beside B, C 0.1 x 0.5 below."""
    found = hypervolume_ratios(four_rows(tmp_path), np.array([3, 1, 0, 2]))
    np.testing.assert_allclose(found, np.array([0.01, 0.36, 0.41, 0.46]) / 0.46, rtol=1e-12)


def test_three_objectives_by_hand(tmp_path: Path) -> None:
    """(0, 1, 1) covers 1.1 x 0.1 x 0.1 and (1, 0, 0) covers 0.1 x 1.1 x 1.1; both cover a cube of 0.1."""
    path = write(tmp_path / "t.csv", "x,a,b,c\n1,0,1,1\n2,1,0,0\n")
    table = read_table(path, parse_columns(features=["x"], objectives=["a:min,b:min,c:min"]))
    found = hypervolume_ratios(table, np.array([0, 1]))
    np.testing.assert_allclose(found, [0.011 / (0.011 + 0.121 - 0.001), 1.0], rtol=1e-12)


def test_units_do_not_matter_and_a_constant_objective_does_no_harm(tmp_path: Path) -> None:
    text = "x,a,b\n1,0,7\n2,1000,7\n3,250,7\n"
    table = read_table(
        write(tmp_path / "t.csv", text), parse_columns(features=["x"], objectives=["a:max,b:min"])
    )
    assert scaled_values(table).tolist() == [[1, 0], [0, 0], [0.75, 0]]
    assert hypervolume_ratios(table, np.array([0, 2, 1])) == pytest.approx([0.1 / 1.1, 0.35 / 1.1, 1.0])
