"""Which of a front are retrained, worked out by hand."""

import numpy as np
import pytest

from hytnas_jax.retrain.roles import choose_roles

# Scaled to 0..1: (0, 1), (0.1, 0.5), (0.3, 0.3), (0.6, 0.1), (1, 0). The squared distances from (0, 0) are 1,
# 0.26, 0.18, 0.37, 1: the knee is row 2.
FRONT = np.array([[10.0, 200.0], [11.0, 150.0], [13.0, 130.0], [16.0, 110.0], [20.0, 100.0]])
NAMES = ["error", "latency_ms"]


def test_the_roles_by_hand() -> None:
    """Squared distances of rows 1 and 3 to the nearest of 0, 2, 4 are 0.08 (to row 2) and 0.13 (to row 2)."""
    assert choose_roles(FRONT, NAMES, 5) == [
        (0, "smallest error"),
        (2, "knee"),
        (4, "smallest latency_ms"),
        (3, "spread"),
        (1, "spread"),
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_fewer_are_the_first(count: int) -> None:
    assert choose_roles(FRONT, NAMES, count) == choose_roles(FRONT, NAMES, 5)[:count]


def test_no_more_than_there_are() -> None:
    assert len(choose_roles(FRONT, NAMES, 99)) == 5


def test_one_row_with_several_roles_is_chosen_once() -> None:
    """It keeps the first; with two rows, the knee is one of the ends (the earlier of equals)."""
    assert choose_roles(FRONT[[0, 4]], NAMES, 5) == [(0, "smallest error"), (1, "smallest latency_ms")]
    assert choose_roles(FRONT[2:3], NAMES, 5) == [(0, "smallest error")]


def test_three_objectives() -> None:
    """Row 1 is best in both others; distances from (0, 0, 0): 1.41, 1, 0.87."""
    values = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.5]])
    assert choose_roles(values, ["error", "latency_ms", "macs"], 3) == [
        (0, "smallest error"),
        (2, "knee"),
        (1, "smallest latency_ms"),
    ]


def test_an_objective_in_which_all_are_equal() -> None:
    values = np.array([[3.0, 5.0], [1.0, 5.0], [2.0, 5.0]])
    assert choose_roles(values, NAMES, 3) == [
        (1, "smallest error"),
        (0, "smallest latency_ms"),
        (2, "spread"),
    ]


def test_objectives_to_maximise_come_negated() -> None:
    values = np.array([[0.1, -5.0], [0.3, -9.0]])
    assert choose_roles(values, ["error", "zen_score"], 2) == [
        (0, "smallest error"),
        (1, "smallest zen_score"),
    ]
