"""What every registered acquisition owes the loop."""

import numpy as np
import pytest
from scipy.stats import norm

from hytnas_jax.mobo.acquisitions import ACQUISITIONS


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_contract(name):
    acquisition = ACQUISITIONS[name]()
    mean = np.array([0.0, 1.0, -1.0, 1e6, -1e6, 5.0])
    std = np.array([1.0, 0.0, 1e-9, 1.0, 0.0, 1e3])
    values = acquisition(mean, std, best=0.0, iteration=20)
    assert values.shape == (6,)
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(values, acquisition(mean, std, best=0.0, iteration=20))


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_smaller_means_are_worth_more(name):
    mean = np.linspace(-50.0, 50.0, 101)
    values = ACQUISITIONS[name]()(mean, np.ones(101), best=0.0, iteration=20)
    assert (np.diff(values) < 0.0).all()


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_of_equal_means_the_unsure_is_worth_no_less(name):
    std = np.linspace(0.0, 5.0, 50)
    values = ACQUISITIONS[name]()(np.zeros(50), std, best=-1.0, iteration=20)
    assert (np.diff(values) >= 0.0).all()


def test_log_expected_improvement_is_its_logarithm():
    mean, std, best = np.array([0.0, 1.0, -2.0, 3.0]), np.array([1.0, 2.0, 0.5, 1.0]), 0.5
    z = (best - mean) / std
    expected = std * (norm.pdf(z) + z * norm.cdf(z))
    values = ACQUISITIONS["ei"]()(mean, std, best=best, iteration=0)
    np.testing.assert_allclose(np.exp(values), expected, rtol=1e-9)


def test_log_expected_improvement_keeps_the_order_where_it_underflows():
    # exp(-z^2 / 2) is 0 in float64 from |z| = 39 on; across both changes of formula
    z = -np.concatenate([np.linspace(0.9, 1.1, 50), np.logspace(0.1, 8.0, 400)])
    values = ACQUISITIONS["ei"]()(-z, np.ones_like(z), best=0.0, iteration=0)
    assert (np.diff(values) < 0.0).all()
