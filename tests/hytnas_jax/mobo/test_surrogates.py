"""What every registered surrogate owes the loop."""

import time

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from hytnas_jax.mobo.surrogates import SURROGATES, fit_surrogate
from hytnas_jax.mobo.surrogates.gaussian_process import _NegativeLogPosterior


def data(n: int, num_features: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    x = rng.integers(0, 4, size=(n, num_features)).astype(float)
    return x, 70.0 + 5.0 * x[:, 0] - x[:, 1] ** 2 + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize("name", SURROGATES)
def test_contract(name):
    x, y = data(60)
    queries = data(25)[0]
    mean, std = fit_surrogate(SURROGATES[name](seed=3), x, y, name="y").predict(queries)
    assert mean.shape == std.shape == (25,)
    assert mean.dtype == std.dtype == np.float64
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()
    assert (std >= 0.0).all()
    again = fit_surrogate(SURROGATES[name](seed=3), x, y, name="y").predict(queries)
    np.testing.assert_array_equal(np.stack(again), np.stack([mean, std]))


@pytest.mark.parametrize("name", SURROGATES)
def test_learns_and_knows_where_it_has_been(name):
    x, y = data(80)
    mean, std = fit_surrogate(SURROGATES[name](seed=0), x, y, name="y").predict(data(200)[0])
    assert np.corrcoef(mean, data(200)[1])[0, 1] > 0.9
    few_x, few_y = data(10)
    assert fit_surrogate(SURROGATES[name](seed=0), few_x, few_y, name="y").predict(x)[1].mean() > std.mean()


@pytest.mark.parametrize("name", SURROGATES)
def test_units_of_the_target_do_not_matter(name):
    x, y = data(40)
    mean, std = fit_surrogate(SURROGATES[name](seed=0), x, y, name="y").predict(x)
    other_mean, other_std = fit_surrogate(SURROGATES[name](seed=0), x, 1e6 * y - 5.0, name="y").predict(x)
    np.testing.assert_allclose(other_mean, 1e6 * mean - 5.0, rtol=1e-3)
    np.testing.assert_allclose(other_std, 1e6 * std, rtol=0.05, atol=1e4)


@pytest.mark.parametrize("name", SURROGATES)
@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((1, 3)), np.array([5.0])),
        (np.arange(12.0).reshape(4, 3), np.full(4, 5.0)),
        (np.ones((2, 3)), np.array([4.0, 6.0])),
    ],
    ids=["one point", "constant target", "constant features"],
)
def test_nothing_to_learn_gives_a_constant_and_says_so(name, x, y, caplog):
    mean, std = fit_surrogate(SURROGATES[name](seed=0), x, y, name="error").predict(np.eye(3))
    np.testing.assert_allclose(mean, 5.0)
    np.testing.assert_allclose(std, y.std())
    assert "error: nothing to learn" in caplog.text


@pytest.mark.parametrize("name", SURROGATES)
def test_two_points_and_repeated_points(name):
    x = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    for n in (2, 3):
        mean, std = fit_surrogate(SURROGATES[name](seed=0), x[:n], np.arange(n), name="y").predict(x)
        assert np.isfinite(mean).all()
        assert np.isfinite(std).all()


@pytest.mark.parametrize("name", SURROGATES)
def test_a_draw_is_one_function(name):
    x, y = data(40)
    queries = data(25)[0]
    predictor = fit_surrogate(SURROGATES[name](seed=0), x, y, name="y")
    drawn = predictor.draw(np.random.default_rng(1))
    assert drawn(queries).shape == (25,)
    assert drawn(queries).dtype == np.float64
    np.testing.assert_allclose(drawn(queries)[3:4], drawn(queries[3:4]), rtol=1e-9)
    again = predictor.draw(np.random.default_rng(1))
    np.testing.assert_array_equal(drawn(queries), again(queries))


def test_draws_of_the_gaussian_process_have_its_mean_and_deviation():
    x, y = data(30, 3)
    queries = np.random.default_rng(5).uniform(0.0, 4.0, size=(10, 3))
    predictor = fit_surrogate(SURROGATES["gp"](seed=0), x, y, name="y")
    mean, std = predictor.predict(queries)
    rng = np.random.default_rng(0)
    drawn = np.stack([predictor.draw(rng)(queries) for _ in range(1000)])
    # five standard errors of a mean, and as much of a deviation
    assert (np.abs(drawn.mean(axis=0) - mean) < 5.0 * std / np.sqrt(1000)).all()
    np.testing.assert_allclose(drawn.std(axis=0), std, rtol=5.0 / np.sqrt(2000))


@pytest.mark.parametrize("name", SURROGATES)
def test_quick_at_three_hundred_points(name):
    x, y = data(300, 60)
    started = time.process_time()
    fit_surrogate(SURROGATES[name](seed=0), x, y, name="y")
    # a third of a second of processor time; room for a slow machine with other work
    assert time.process_time() - started < 10.0


def test_gaussian_process_does_not_follow_what_is_unsure():
    x, y = data(60)
    y[0] += 20.0
    std = np.zeros(60)
    (followed,), _ = fit_surrogate(SURROGATES["gp"](seed=0), x, y, std=std, name="y").predict(x[:1])
    std[0] = 20.0
    (doubted,), _ = fit_surrogate(SURROGATES["gp"](seed=0), x, y, std=std, name="y").predict(x[:1])
    assert abs(doubted - (y[0] - 20.0)) < 1.0 < abs(followed - (y[0] - 20.0))


def test_gaussian_process_gradient_against_finite_differences():
    rng = np.random.default_rng(0)
    prior = np.log([2.0, 2.0, 2.0, 1.0, 0.05])
    given = rng.uniform(0, 0.3, 12)
    posterior = _NegativeLogPosterior(rng.standard_normal((12, 3)), rng.standard_normal(12), given, prior)
    theta = prior + 0.3 * rng.standard_normal(5)
    numeric = approx_fprime(theta, lambda t: posterior(t)[0], 1e-6)
    np.testing.assert_allclose(posterior(theta)[1], numeric, rtol=1e-4, atol=1e-4)
