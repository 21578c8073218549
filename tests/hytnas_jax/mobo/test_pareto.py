"""Fronts and hypervolumes against values worked out by hand."""

import numpy as np
import pytest

from hytnas_jax.mobo.pareto import hypervolume, hypervolume_history, pareto_mask, pareto_rank


@pytest.mark.parametrize(
    ("values", "reference", "expected"),
    [
        ([[1.0], [3.0]], [4.0], 3.0),
        ([[1.0, 2.0]], [4.0, 4.0], 6.0),
        # 3 x 1 + 2 x 1 + 1 x 1: a staircase
        ([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], [4.0, 4.0], 6.0),
        # two boxes of volume 2 that share 1
        ([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]], [2.0, 2.0, 2.0], 3.0),
        # 2 x 1 x 1 x 1 twice, sharing 1
        ([[0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]], [2.0, 2.0, 2.0, 2.0], 3.0),
    ],
)
def test_hypervolume_by_hand(values, reference, expected):
    values = np.array(values)
    assert hypervolume(values, np.array(reference)) == pytest.approx(expected)
    failed = np.full((2, values.shape[1]), np.nan)
    failed[1, 1:] = -1.0  # one objective is known
    twice = np.concatenate([values, values, failed])
    assert hypervolume(twice, np.array(reference)) == pytest.approx(expected)


@pytest.mark.parametrize("num_objectives", [1, 2, 3, 4])
def test_nothing_dominates_no_volume(num_objectives):
    reference = np.ones(num_objectives)
    assert hypervolume(np.zeros((0, num_objectives)), reference) == 0.0
    assert hypervolume(np.full((3, num_objectives), np.nan), reference) == 0.0
    assert hypervolume(np.ones((1, num_objectives)), reference) == 0.0
    beyond = np.zeros((1, num_objectives))
    beyond[0, -1] = 2.0
    assert hypervolume(beyond, reference) == 0.0


def test_pareto_mask_keeps_equal_points_and_no_nan():
    values = np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [np.nan, 0.0]])
    assert pareto_mask(values).tolist() == [True, True, False, True, False]
    assert pareto_mask(np.zeros((0, 2))).tolist() == []
    assert pareto_mask(np.full((2, 2), np.nan)).tolist() == [False, False]


def test_pareto_mask_agrees_with_the_definition():
    values = np.random.default_rng(0).integers(0, 5, size=(60, 3)).astype(float)
    dominated = [any(np.all(other <= row) and np.any(other < row) for other in values) for row in values]
    assert pareto_mask(values).tolist() == [not d for d in dominated]


def test_pareto_rank_peels_fronts():
    assert pareto_rank(np.array([[2.0, 2.0], [1.0, 1.0], [3.0, 3.0]])).tolist() == [1, 0, 2]
    assert pareto_rank(np.array([[1.0, 2.0]])).tolist() == [0]
    assert pareto_rank(np.zeros((0, 2))).tolist() == []


def test_hypervolume_history_in_the_users_units():
    # accuracy to be large (corner 50), latency to be small (corner 10)
    values = np.array([[60.0, 8.0], [np.nan, 1.0], [55.0, 9.0], [60.0, 5.0], [40.0, 1.0]])
    history = hypervolume_history(values, ("max", "min"), np.array([50.0, 10.0]))
    np.testing.assert_allclose(history, [20.0, 20.0, 20.0, 50.0, 50.0])
    assert hypervolume_history(np.zeros((0, 2)), ("max", "min"), np.ones(2)).shape == (0,)
