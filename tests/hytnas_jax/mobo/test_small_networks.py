"""Networks trained together: padding is without effect, and a linear one is Bayes' own."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from hytnas_jax.mobo.surrogates import small_networks
from hytnas_jax.mobo.surrogates.bayesian_network import MEDIAN_NOISE, most_probable_noise
from hytnas_jax.mobo.surrogates.small_networks import OUTPUT_SCALE, draw_networks, outputs, predictions

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 2))
Y = X[:, 0] - 0.5 * X[:, 1] + 0.3 * RNG.standard_normal(50)


def anchored(x, y, widths, num_members, steps=30, noise=0.09):
    rng = np.random.default_rng(1)
    return small_networks.train_anchored(
        *(draw_networks(widths, num_members, rng), draw_networks(widths, num_members, rng), x),
        y + np.sqrt(noise) * rng.standard_normal((num_members, len(y))),
        noise=noise,
        learning_rate=0.1,
        steps=steps,
    )


def early_stopped(x, y, held_out, *, steps, weight_decay=0.0):
    return small_networks.train_early_stopped(
        draw_networks((2, 8, 1), len(held_out), np.random.default_rng(1)),
        *(x, y, held_out),
        learning_rate=0.03,
        weight_decay=weight_decay,
        steps=steps,
    )


def test_outputs_by_hand_in_both_libraries():
    ones = np.ones((1, 4, 2)), np.full((1, 1, 2), 0.5)
    networks = [ones, (np.array([[[1.0], [-2.0]]]), np.array([[[3.0]]]))]
    hidden = 2.5 / (1.0 + np.exp(-2.5))  # of 4 / sqrt(4) + 0.5
    expected = 3.0 - hidden * OUTPUT_SCALE / np.sqrt(2.0)
    np.testing.assert_allclose(predictions(networks, np.ones((1, 4))), [[expected]])
    np.testing.assert_allclose(outputs(networks, jnp.ones((1, 4)), jnp), [[expected]], rtol=1e-6)


def test_padding_is_without_effect(monkeypatch):
    x, y = X[:10], Y[:10]
    held_out = np.arange(10) % 5 == np.arange(3)[:, None]
    padded = anchored(x, y, (2, 8, 1), 3), early_stopped(x, y, held_out, steps=30)
    monkeypatch.setattr(small_networks, "BUCKET", 10)
    exact = anchored(x, y, (2, 8, 1), 3), early_stopped(x, y, held_out, steps=30)
    for ours, theirs in zip(padded, exact, strict=True):
        np.testing.assert_allclose(predictions(ours, X), predictions(theirs, X), rtol=1e-3, atol=1e-3)


def test_more_points_do_not_compile_anew():
    anchored(X[:10], Y[:10], (2, 8, 1), 3)
    compiled = small_networks._anchored._cache_size()
    anchored(X[:40], Y[:40], (2, 8, 1), 3)
    assert small_networks._anchored._cache_size() == compiled


def test_anchored_linear_networks_are_drawn_from_the_posterior():
    noise = 0.09
    networks = anchored(X, Y, (2, 1), 400, steps=300, noise=noise)
    design = np.column_stack([X * OUTPUT_SCALE / np.sqrt(2.0), np.ones(50)])
    covariance = np.linalg.inv(np.eye(3) + design.T @ design / noise)
    mean = design @ covariance @ design.T @ Y / noise
    std = np.sqrt(np.einsum("nf,fg,ng->n", design, covariance, design))
    drawn = predictions(networks, X)
    # five standard errors of a mean, and as much of a deviation
    assert (np.abs(drawn.mean(axis=0) - mean) < 5.0 * std / np.sqrt(400)).all()
    np.testing.assert_allclose(drawn.std(axis=0), std, rtol=5.0 / np.sqrt(800))


def test_most_probable_noise():
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((400, 5))
    values = basis @ rng.standard_normal(5) + 0.7
    for noise in (0.02, 0.2):
        y = values + np.sqrt(noise) * rng.standard_normal(400)
        # a relative standard error of sqrt(2 / 400), and the steps of the grid
        assert most_probable_noise(basis, y) == pytest.approx(noise, rel=0.35)
    # without points to tell, the prior's median
    assert most_probable_noise(np.zeros((1, 5)), np.zeros(1)) == pytest.approx(MEDIAN_NOISE, rel=0.1)


def test_the_step_is_kept_that_is_best_at_the_points_held_out():
    # the targets of the points held out are the others' negatives: every step of learning is for the worse
    x, y = np.tile(X, (2, 1)), np.concatenate([10.0 * X[:, 0], -10.0 * X[:, 0]])
    held_out = np.tile(np.arange(100) >= 50, (3, 1))
    start = predictions(draw_networks((2, 8, 1), 3, np.random.default_rng(1)), X)

    def error(networks):
        return np.mean((predictions(networks, X) - y[50:]) ** 2)

    few, many = early_stopped(x, y, held_out, steps=1), early_stopped(x, y, held_out, steps=200)
    assert error(many) <= error(few) + 1e-6
    np.testing.assert_allclose(predictions(few, X), start, rtol=1e-5, atol=1e-5)
    same = early_stopped(x, np.tile(Y, 2), held_out, steps=200)
    assert np.mean((predictions(same, X).mean(axis=0) - Y) ** 2) < 0.15


def test_weight_decay_makes_the_function_flatter():
    held_out = np.tile(np.arange(50) % 5 == 0, (3, 1))
    free, decayed = (early_stopped(X, Y, held_out, steps=100, weight_decay=w) for w in (0.0, 3.0))
    assert np.ptp(predictions(decayed, 3.0 * X)) < np.ptp(predictions(free, 3.0 * X))


def test_jax_is_not_imported_where_no_network_is_fitted():
    code = "import sys, hytnas_jax.mobo; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
