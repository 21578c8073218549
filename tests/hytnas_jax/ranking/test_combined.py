"""The combination of estimates, where it is known how much they can say together."""

import numpy as np

from hytnas_jax.ranking.combined import combined
from proxies.ranking import tau_b


def test_two_halves_of_the_truth_say_more_together() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(2, 60))
    truth = parts.sum(0) + rng.normal(0, 0.2, 60)
    estimates = {"half": parts[0], "other half": np.exp(parts[1]), "noise": rng.normal(size=60)}
    together = tau_b(combined(estimates, truth), truth)
    assert together > 0.75
    assert together > max(tau_b(values, truth) for values in estimates.values()) + 0.2


def test_noise_does_not_seem_to_know_anything() -> None:
    """A fit on all networks would: it would remember them."""
    taus = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        truth, estimates = rng.normal(size=30), {str(n): rng.normal(size=30) for n in range(6)}
        taus.append(tau_b(combined(estimates, truth), truth))
    assert np.mean(taus) < 0.1


def test_only_the_order_of_an_estimate_counts() -> None:
    rng = np.random.default_rng(0)
    estimate, truth = rng.normal(size=20), rng.normal(size=20)
    first, second = (combined({"it": values}, truth) for values in (estimate, np.exp(3 * estimate)))
    np.testing.assert_allclose(first, second)
