"""Expected improvements by hand, against exact hypervolumes and against sampling."""

import numpy as np
import pytest
from scipy.stats import norm

from hytnas_jax.mobo.expected_hypervolume import boxes, expected_improvement
from hytnas_jax.mobo.pareto import hypervolume


def certain(points, front, reference):
    """The improvement where nothing is uncertain."""
    return expected_improvement(np.array(points, float)[:, :, None], front, reference)


def normal(mean, std, front, reference):
    """The improvement by normal distributions, [C, M] each, in small steps."""
    z = norm.ppf((np.arange(4000) + 0.5) / 4000)
    quantiles = np.array(mean)[:, :, None] + np.array(std)[:, :, None] * z
    return expected_improvement(quantiles, front, reference)


def test_known_values_by_hand():
    front = np.array([[0.5, 0.5]])
    points = [[0.0, 0.5], [0.25, 0.75], [0.75, 0.75], [2.0, 0.0]]
    np.testing.assert_allclose(certain(points, front, np.ones(2)), [0.25, 0.0625, 0.0, 0.0])
    np.testing.assert_allclose(certain(points[:1], np.zeros((0, 2)), np.ones(2)), [0.5])


def test_with_one_objective_known_it_is_expected_improvement_times_what_is_known():
    z = (0.5 - 0.7) / 0.3
    expected = 0.3 * (norm.pdf(z) + z * norm.cdf(z)) * (1.0 - 0.2)
    value = normal([[0.7, 0.2]], [[0.3, 0.0]], np.array([[0.5, 0.2]]), np.ones(2))
    np.testing.assert_allclose(value, [expected], rtol=1e-3)


def test_an_uncertain_objective_beside_a_known_one_by_hand():
    # the front leaves y_2 < 1 at y_1 = 0.25 for y_1 < 0.5: a strip of width 0.25, and EI of 1 against y_2
    z = (1.0 - 0.8) / 0.2
    below_one = 0.2 * (norm.pdf(z) + z * norm.cdf(z))
    z = (0.5 - 0.8) / 0.2
    below_half = 0.2 * (norm.pdf(z) + z * norm.cdf(z))
    value = normal([[0.25, 0.8]], [[0.0, 0.2]], np.array([[0.5, 0.5]]), np.ones(2))
    np.testing.assert_allclose(value, [0.25 * below_one + 0.5 * below_half], rtol=1e-3)


@pytest.mark.parametrize("num_objectives", [2, 3, 4])
@pytest.mark.parametrize("size", [0, 1, 8])
def test_certain_values_improve_like_exact_hypervolumes(num_objectives, size):
    rng = np.random.default_rng(num_objectives)
    front, points = rng.random((size, num_objectives)), 1.2 * rng.random((20, num_objectives))
    front = np.concatenate([front, front[:1]])  # a repeated point changes nothing
    reference = np.full(num_objectives, 1.1)
    base = hypervolume(front, reference)
    exact = [hypervolume(np.concatenate([front, p[None]]), reference) - base for p in points]
    np.testing.assert_allclose(certain(points, front, reference), exact, atol=1e-12)


@pytest.mark.parametrize("num_objectives", [2, 3, 4])
def test_points_beyond_the_reference_are_no_front(num_objectives):
    rng = np.random.default_rng(0)
    front, points = rng.random((6, num_objectives)), rng.random((20, num_objectives))
    beyond = rng.random((6, num_objectives))
    beyond[np.arange(6), np.arange(6) % num_objectives] = 1.5
    on_the_edge = np.full((1, num_objectives), 0.1)
    on_the_edge[0, 0] = 1.1
    reference = np.full(num_objectives, 1.1)
    everything = np.concatenate([beyond, front, on_the_edge])
    np.testing.assert_allclose(
        certain(points, everything, reference), certain(points, front, reference), atol=1e-12
    )


@pytest.mark.parametrize("num_objectives", [2, 3])
def test_uncertain_values_against_sampling(num_objectives):
    rng = np.random.default_rng(0)
    front, reference = rng.random((5, num_objectives)), np.full(num_objectives, 1.1)
    mean, std = rng.random((4, num_objectives)), 0.05 + 0.3 * rng.random((4, num_objectives))
    draws = mean + std * rng.standard_normal((20_000, 4, num_objectives))
    sampled = [certain(draws[:, c], front, reference).mean() for c in range(4)]
    np.testing.assert_allclose(normal(mean, std, front, reference), sampled, rtol=0.05, atol=1e-4)


def test_boxes_are_disjoint_and_fill_the_rest():
    front, reference = np.random.default_rng(1).random((6, 3)), np.ones(3)
    lower, upper = boxes(front, reference)
    volume = np.prod(upper - np.maximum(lower, 0.0), axis=1).sum()
    np.testing.assert_allclose(volume, 1.0 - hypervolume(front, reference))
