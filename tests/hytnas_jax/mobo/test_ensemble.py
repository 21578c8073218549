"""Spread, widening and draws of ensembles, by hand."""

import numpy as np
import pytest

from hytnas_jax.mobo.surrogates.ensemble import Ensemble, bootstrap_counts, widening

MEMBERS = np.array([[0.0, 0.0], [2.0, 6.0]])


def test_mean_and_spread():
    mean, std = Ensemble(lambda features: MEMBERS, widening=3.0).predict(np.zeros((2, 1)))
    np.testing.assert_allclose(mean, [1.0, 3.0])
    np.testing.assert_allclose(std, [3.0 * np.sqrt(2.0), 3.0 * np.sqrt(18.0)])


def test_a_draw_is_one_member_as_far_from_the_mean_as_the_spread_says():
    ensemble = Ensemble(lambda features: MEMBERS, widening=3.0)
    draws = {tuple(ensemble.draw(np.random.default_rng(seed))(np.zeros((2, 1)))) for seed in range(20)}
    assert draws == {(-2.0, -6.0), (4.0, 12.0)}


def test_widening_by_hand():
    # means 1 and 1, variances 2 and 2, squared errors 0 and 16: sqrt((0 - 1 + 16 - 1) / (2 + 2))
    predictions, targets = np.array([[0.0, 0.0], [2.0, 2.0]]), np.array([1.0, 5.0])
    everywhere = np.ones((2, 2), bool)
    assert widening(predictions, targets, everywhere) == pytest.approx(np.sqrt(3.5))
    # members that are better than they agree are not narrowed
    assert widening(predictions, np.ones(2), everywhere) == 1.0
    # one member alone, or none, does not disagree
    assert widening(predictions, targets, np.array([[True, False], [False, False]])) == 1.0
    assert widening(np.ones((2, 2)), targets, everywhere) == 1.0


def test_widened_members_are_as_far_off_as_they_say():
    # all members share an error of variance 1 and have one of their own of variance 0.25
    rng = np.random.default_rng(0)
    targets = rng.standard_normal(2000)
    shared = targets + rng.standard_normal(2000)
    predictions = shared + 0.5 * rng.standard_normal((10, 2000))
    held_out = bootstrap_counts(2000, 10, rng) == 0
    assert held_out.mean() == pytest.approx(np.exp(-1.0), abs=0.01)
    assert widening(predictions, targets, held_out) == pytest.approx(2.0, rel=0.05)


def test_bootstrap_samples_are_as_large_as_the_data():
    counts = bootstrap_counts(7, 5, np.random.default_rng(0))
    assert counts.shape == (5, 7)
    assert counts.sum(axis=1).tolist() == [7] * 5
