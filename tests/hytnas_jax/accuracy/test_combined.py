"""The combination of estimates, where it is known how much they can say together."""

import numpy as np
import pytest
from scipy.special import expit

from hytnas_jax.accuracy.combined import Combined, can_combine, out_of_sample
from hytnas_jax.accuracy.estimates import LOSS, POINTWISE, Values
from proxies.ranking import tau_b
from supernet.errors import UserError


def made_up(rng: np.random.Generator, count: int) -> Values:
    """Estimates that have nothing in common."""
    loss, macs = rng.normal(size=(2, count))
    return {LOSS: loss, POINTWISE: np.exp(14 + macs)}


def test_what_two_estimates_know_is_added_up() -> None:
    rng = np.random.default_rng(0)
    estimates = made_up(rng, 60)
    worth = estimates[LOSS] + np.log(estimates[POINTWISE])
    references = expit(0.3 * (worth - worth.mean()) + rng.normal(0, 0.05, 60))
    together = tau_b(out_of_sample(estimates, references), references)
    assert together > 0.75
    assert together > max(tau_b(values, references) for values in estimates.values()) + 0.2


def test_noise_does_not_seem_to_know_anything() -> None:
    """A fit on all networks would: it would remember them."""
    taus = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        references = expit(rng.normal(size=30))
        taus.append(tau_b(out_of_sample(made_up(rng, 30), references), references))
    assert np.mean(taus) < 0.1


def test_the_standard_deviation_is_as_large_as_the_errors() -> None:
    ratios = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        estimates = made_up(rng, 400)
        references = expit(0.5 * estimates[LOSS] + rng.normal(0, 0.2, 400))
        few = {name: values[:60] for name, values in estimates.items()}
        mean, std = Combined.fit(few, references[:60]).predict(estimates)
        ratios.append(np.sqrt(np.mean(((mean - references) / std)[60:] ** 2)))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_a_network_unlike_the_fitted_ones_is_less_sure() -> None:
    rng = np.random.default_rng(0)
    estimates = made_up(rng, 40)
    combined = Combined.fit(estimates, expit(0.5 * estimates[LOSS] + rng.normal(0, 0.2, 40)))
    middle = {name: np.array([np.median(values)]) for name, values in estimates.items()}
    far = {**middle, POINTWISE: 1e4 * middle[POINTWISE]}
    assert combined.predict(far)[1] > 1.5 * combined.predict(middle)[1]


def test_perfect_networks_have_finite_odds() -> None:
    estimates = made_up(np.random.default_rng(0), 12)
    mean, std = Combined.fit(estimates, np.linspace(0.95, 1, 12)).predict(estimates)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


def test_a_useless_supernet_is_refused() -> None:
    estimates = made_up(np.random.default_rng(0), 12)
    assert can_combine(estimates)
    assert not can_combine({name: values[:9] for name, values in estimates.items()})
    estimates[LOSS][3] = np.nan
    assert not can_combine(estimates)
    with pytest.raises(UserError, match="train it again, with a smaller --learning-rate"):
        Combined.fit(estimates, np.linspace(0.5, 0.9, 12))
