"""What is expected after retraining: by hand, and what must hold whatever came out."""

import numpy as np
import pytest
from scipy.special import expit, logit

from hytnas_jax.retrain import forecast as module
from hytnas_jax.retrain.forecast import Expected, Forecast, as_sure_as, forecast, log_odds

MANY = 10**9  # images that leave nothing to chance


def expected(errors: list[float], retrained: dict[int, float], images: int = MANY) -> Forecast:
    found = forecast(np.array(errors), np.zeros(len(errors)), retrained, images)
    assert found is not None
    return found


def test_nothing_is_known_before_anything_is_retrained() -> None:
    assert forecast(np.array([0.1, 0.2]), np.zeros(2), {}, 100) is None


def test_one_network_shifts_all() -> None:
    """Odds of 1/4 became 1/16, so all odds are expected to be a fourth; how sure that is, by hand.

    The variance is that of a slope around 1, times the square of the distance, and twice that of the noise:
    of the one that is known, and of the one that is not.
    """
    found = expected([0.2, 0.5, 0.2], {0: 1 / 17})
    np.testing.assert_allclose(found.mean, np.log([1 / 16, 1 / 4, 1 / 16]), rtol=1e-6)
    weights, chances = module.DEVIATION_WEIGHTS, module.SLOPE_WEIGHTS
    differ = np.std(np.log([1 / 4, 1, 1 / 4]))
    noise = np.average((module.DEVIATIONS * differ) ** 2, weights=weights)
    slope = np.average((module.SLOPES - 1) ** 2, weights=chances)
    distance = np.log(4)
    np.testing.assert_allclose(
        found.std**2, [2 * noise, 2 * noise + slope * distance**2, 2 * noise], rtol=1e-6
    )
    assert found.networks == 1


def test_two_networks_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a known deviation of 0.5 and a slope of 1 or 2, log-odds -1 and 1 that became -2 and 2.

    The slope leaves -1 and 1, or 0 and 0: the misfits are 1 / 0.25 + 1 / 0.25 = 8 and 0. Either way the mean
    of what is left, the intercept, is 0: log-odds of 1 are expected to become 1 or 2, weighted by exp(-4) and
    1.
    """
    monkeypatch.setattr(module, "SLOPES", np.array([1.0, 2.0]))
    monkeypatch.setattr(module, "SLOPE_WEIGHTS", np.ones(2))
    monkeypatch.setattr(module, "DEVIATIONS", np.array([0.5]))
    monkeypatch.setattr(module, "DEVIATION_WEIGHTS", np.ones(1))
    x = expit([-1.0, 1.0])
    found = expected(x.tolist(), {0: expit(-2.0), 1: expit(2.0)})
    weight = np.exp(-4) / (1 + np.exp(-4))
    np.testing.assert_allclose(found.mean, [-2 + weight, 2 - weight], rtol=1e-6)
    # 0.25 of the network, 0.25 / 2 of the intercept, and of the slope at a distance of 1
    np.testing.assert_allclose(found.std**2, 0.375 + weight * (1 - weight), rtol=1e-6)


def test_an_unsure_estimate_is_less_sure_afterwards_and_says_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deviation of 0.05 at an error of 0.5 is one of 0.2 log-odds; with a slope of 1, the variances add.

    The estimates do not differ: the noise is 3 times the least that they are taken to differ by, 0.1.
    """
    monkeypatch.setattr(module, "SLOPES", np.ones(1))
    monkeypatch.setattr(module, "SLOPE_WEIGHTS", np.ones(1))
    monkeypatch.setattr(module, "DEVIATIONS", np.array([3.0]))
    monkeypatch.setattr(module, "DEVIATION_WEIGHTS", np.ones(1))
    estimates, unsure = np.full(3, 0.5), np.array([0.0, 0.05, 0.05])
    found = forecast(estimates, unsure, {0: 0.5}, MANY)
    assert found is not None
    np.testing.assert_allclose(found.std**2, [0.18, 0.22, 0.22], rtol=1e-6)
    # variances of 0.09 and 0.13: weights of 13 and 9 parts
    found = forecast(estimates, unsure, {0: 0.5, 1: expit(1.0)}, MANY)
    assert found is not None
    np.testing.assert_allclose(found.mean, 9 / 22, rtol=1e-6)


def test_few_images_leave_more_to_chance() -> None:
    few, many = (expected([0.1, 0.2], {0: 0.05}, images) for images in (40, 4000))
    assert (few.std > many.std).all()


@pytest.mark.parametrize("seed", range(20))
def test_better_in_the_search_is_never_expected_worse(seed: int) -> None:
    """Nor where retraining turned the order round."""
    rng = np.random.default_rng(seed)
    estimates = np.sort(rng.uniform(0, 1, 12))
    rows = rng.choice(12, rng.integers(1, 8), replace=False).tolist()
    retrained = {row: float(1 - estimates[row] if seed % 2 else rng.uniform()) for row in rows}
    found = expected(estimates.tolist(), retrained, 359)
    assert (np.diff(found.error) >= 0).all()
    assert (found.at(-1) < found.error).all()
    assert (found.error < found.at(1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_references_is_found_and_its_deviation(seed: int) -> None:
    """Of the networks that were not retrained, two thirds become what one standard deviation allows."""
    rng = np.random.default_rng(seed)
    estimates = rng.uniform(0.02, 0.5, 300)
    became = expit(-2 + 0.6 * logit(estimates) + 0.3 * rng.normal(size=300))
    found = expected(estimates.tolist(), dict(enumerate(became[:40].tolist())))
    off = (logit(became) - found.mean) / found.std
    assert abs(off[40:].mean()) < 0.35
    assert 0.55 < np.mean(np.abs(off[40:]) < 1) < 0.8


@pytest.mark.parametrize("became", [{0: 0.0}, {0: 1.0}, {0: 0.0, 2: 1.0}, {0: 0.0, 1: 0.0}, {0: 1.0, 2: 0.0}])
def test_no_errors_and_nothing_but_errors(became: dict[int, float]) -> None:
    found = expected([0.0, 0.5, 1.0], became, 100)
    for values in (found.mean, found.std):
        assert np.isfinite(values).all()
    assert ((found.error > 0) & (found.error < 1)).all()


def test_equal_networks_are_expected_to_become_the_same() -> None:
    """Whatever became of those: here 10% and 30%, odds of 1/9 and 3/7."""
    found = expected([0.2, 0.2, 0.2], {0: 0.1, 1: 0.3})
    np.testing.assert_allclose(found.mean, (np.log(1 / 9) + np.log(3 / 7)) / 2, rtol=1e-6)
    assert np.ptp(found.std) == 0


def test_the_order_of_retraining_does_not_matter() -> None:
    one, other = (expected([0.1, 0.2, 0.4], became) for became in ({0: 0.03, 2: 0.1}, {2: 0.1, 0: 0.03}))
    np.testing.assert_allclose(one.mean, other.mean)
    np.testing.assert_allclose(one.std, other.std)


def test_log_odds_by_hand() -> None:
    """0, 50 and 100 of 100 wrong: with a half to either side odds of 0.5 / 100.5, 1 and 201."""
    np.testing.assert_allclose(
        log_odds(np.array([0, 0.5, 1]), 100), [-np.log(201), 0, np.log(201)], atol=1e-12
    )


def test_quantiles_are_those_of_a_normal_distribution() -> None:
    found = Forecast(np.array([0.0, -2.0]), np.array([1.0, 0.5]), 1)
    quantiles = found.quantiles(1001)
    assert quantiles.shape == (2, 1001)
    assert (np.diff(quantiles, axis=1) > 0).all()
    np.testing.assert_allclose(quantiles[:, 500], found.error)
    np.testing.assert_allclose(logit(quantiles).std(axis=1), found.std, rtol=0.01)


def test_in_words() -> None:
    assert str(Forecast(np.array([logit(0.02)]), np.array([np.log(2)]), 3).of(0)) == "2.0% (1.0 to 3.9)"
    assert Forecast(np.zeros(1), np.zeros(1), 3).of(0) == Expected(0.5, 0.5, 0.5, 3)


def test_how_many_images_errors_are_worth() -> None:
    """Rates on 400 images vary as those on 400 do; 0.5 that varies by 0.05, as one of 100 does."""
    rates = {0: 0.1, 1: 0.2, 2: 0.0}
    binomial = {row: float(np.sqrt(error * (1 - error) / 400)) for row, error in rates.items()}
    assert as_sure_as(rates, binomial, 7) == 400
    assert as_sure_as({3: 0.5}, {3: 0.05}, 7) == 100
    assert as_sure_as({3: 0.5, 4: 0.5, 5: 0.5}, {3: 0.05, 4: 0.1, 5: 0.01}, 7) == 100


def test_errors_that_tell_nothing_of_chance_are_worth_their_images() -> None:
    assert as_sure_as({0: 0.0, 1: 1.0}, {0: 0.0, 1: 0.0}, 7) == 7
    assert as_sure_as({0: 0.3}, {0: float("nan")}, 7) == 7
    assert as_sure_as({}, {}, 7) == 7


def test_what_is_told_to_be_unsure_leaves_more_to_chance() -> None:
    """As of a dense task: an AP of 0.5 that varies by 0.1 is worth 25 images, whatever they are."""
    sure, unsure = (as_sure_as({0: 0.5}, {0: deviation}, 400) for deviation in (0.025, 0.1))
    assert (sure, unsure) == (400, 25)
    few, many = (expected([0.4, 0.6], {0: 0.5}, images) for images in (unsure, sure))
    assert (few.std > many.std).all()
