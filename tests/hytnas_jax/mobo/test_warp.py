"""Bent targets come back, rise, and go on beyond the ends."""

import numpy as np
import pytest
from scipy.stats import skew

from hytnas_jax.mobo.surrogates.warp import Warp, fit_warp


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_there_and_back(seed, scale):
    y = scale * np.random.default_rng(seed).lognormal(size=30)
    warp = fit_warp(y)
    bent = warp.forward(y)
    np.testing.assert_allclose(warp.inverse(bent), y)
    np.testing.assert_array_equal(np.argsort(bent), np.argsort(y))
    assert bent.mean() == pytest.approx(0.0, abs=1e-9)
    assert bent.std() == pytest.approx(1.0)


def test_a_long_tail_becomes_short():
    y = np.random.default_rng(0).lognormal(size=200)
    bent = fit_warp(y).forward(y)
    assert skew(y) > 1.5
    assert abs(skew(bent)) < 0.4


def test_beyond_the_ends_by_hand():
    # the lower half rises by 2 a unit, the upper one by 10
    warp = Warp(np.array([0.0, 1.0, 2.0, 12.0]), np.array([0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(warp.inverse(np.array([-1.0, 0.25, 1.5, 3.0])), [-2.0, 0.5, 7.0, 22.0])


@pytest.mark.parametrize("y", [[1.0, 2.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0], [-1e9, 1.0, 2.0, 3.0]])
def test_few_and_odd_targets(y):
    warp = fit_warp(np.array(y))
    bent = warp.forward(np.array(y))
    assert np.isfinite(bent).all()
    np.testing.assert_allclose(warp.inverse(bent), y)
    far = warp.inverse(np.linspace(-5.0, 5.0, 50))
    assert np.isfinite(far).all()
    assert (np.diff(far) >= 0.0).all()
