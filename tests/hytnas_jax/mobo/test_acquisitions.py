"""What every registered acquisition owes the loop."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from hytnas_jax.mobo.acquisitions import ACQUISITIONS
from hytnas_jax.mobo.acquisitions.confidence_bound import WIDTH


@dataclasses.dataclass(frozen=True, eq=False)
class Given:
    """A predictor of given values for the features [[0], [1], ...]; all are wrong alike in a draw."""

    mean: np.ndarray
    std: np.ndarray

    def predict(self, features):
        index = features[:, 0].astype(int)
        return self.mean[index], self.std[index]

    def draw(self, rng):
        deviations = rng.standard_normal()

        def drawn(features):
            mean, std = self.predict(features)
            return mean + deviations * std

        return drawn


def values(name, mean, std, *, best=0.0, evaluations=20, seed=0):
    predictor = Given(np.array(mean, float), np.array(std, float))
    rng = np.random.default_rng(seed)
    function = ACQUISITIONS[name]()(predictor, best=best, evaluations=evaluations, rng=rng)
    features = np.arange(len(mean), dtype=float)[:, None]
    first = function(features)
    np.testing.assert_array_equal(first, function(features))
    return first


MEAN = [0.0, 1.0, -1.0, 1e6, -1e6, 5.0]
STD = [1.0, 0.0, 1e-9, 1.0, 0.0, 1e3]


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_contract(name):
    found = values(name, MEAN, STD)
    assert found.shape == (6,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, values(name, MEAN, STD))


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_smaller_means_are_worth_more(name):
    found = values(name, np.linspace(-50.0, 50.0, 101), np.ones(101))
    assert (np.diff(found) < 0.0).all()


@pytest.mark.parametrize("name", ["ucb", "ei", "mean"])
def test_of_equal_means_the_unsure_is_worth_no_less(name):
    found = values(name, np.zeros(50), np.linspace(0.0, 5.0, 50), best=-1.0)
    assert (np.diff(found) >= 0.0).all()


def test_log_expected_improvement_is_its_logarithm():
    mean, std, best = np.array([0.0, 1.0, -2.0, 3.0]), np.array([1.0, 2.0, 0.5, 1.0]), 0.5
    z = (best - mean) / std
    expected = std * (norm.pdf(z) + z * norm.cdf(z))
    np.testing.assert_allclose(np.exp(values("ei", mean, std, best=best)), expected, rtol=1e-9)


def test_log_expected_improvement_keeps_the_order_where_it_underflows():
    # exp(-z^2 / 2) is 0 in float64 from |z| = 39 on; across both changes of formula
    z = -np.concatenate([np.linspace(0.9, 1.1, 50), np.logspace(0.1, 8.0, 400)])
    assert (np.diff(values("ei", -z, np.ones_like(z))) < 0.0).all()


def test_values_by_hand():
    assert values("mean", [1.0, -2.0], [5.0, 0.0]).tolist() == [-1.0, 2.0]
    assert values("ucb", [1.0, -2.0], [5.0, 0.0]).tolist() == [WIDTH * 5.0 - 1.0, 2.0]


def test_thompson_sampling_is_minus_one_draw():
    deviations = np.random.default_rng(3).standard_normal()
    expected = [-1.0 - 5.0 * deviations, 2.0]
    assert values("thompson", [1.0, -2.0], [5.0, 0.0], seed=3).tolist() == expected
    assert values("thompson", [1.0], [5.0], seed=3) != values("thompson", [1.0], [5.0], seed=4)
