"""What every regressor promises, on a device that is made up."""

import json
import time
from typing import Any

import numpy as np
import pytest

from proxies.latency.choice import REGRESSORS
from proxies.latency.error import held_out_error
from proxies.latency.features import FEATURE_NAMES, Features
from proxies.latency.regressors import fit_prices

from .made_up_device import device, features_of, space_at

every_regressor = pytest.mark.parametrize("name", list(REGRESSORS))


@pytest.fixture(scope="module")
def known() -> Features:
    return features_of(space_at(12, 16), 64)


@pytest.fixture(scope="module")
def unseen() -> Features:
    return features_of(space_at(12, 16), 100, seed=5)


def test_prices_are_recovered() -> None:
    features = np.array([[2.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 3.0, 5.0], [4.0, 1.0, 1.0]])
    prices = np.array([0.5, 2.0, 0.25])
    assert fit_prices(features, features @ prices) == pytest.approx(prices)


def test_a_price_is_never_negative() -> None:
    features = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    prices = fit_prices(features, np.array([3.0, 2.0, 1.0]))
    assert prices[1] == 0
    # The constant with the least squared relative error: sum(1/y) / sum(1/y^2).
    assert prices[0] == pytest.approx((1 / 3 + 1 / 2 + 1) / (1 / 9 + 1 / 4 + 1))


@every_regressor
def test_it_predicts_and_says_so_again(name: str, known: Features, unseen: Features) -> None:
    times = device(known)
    predicted = REGRESSORS[name].fit(known, times)(unseen)
    assert predicted.dtype == np.float64
    assert held_out_error(predicted, device(unseen, noise=0)).spearman > 0.9
    assert np.array_equal(REGRESSORS[name].fit(known, times)(unseen), predicted)


@every_regressor
def test_json_round_trip(name: str, known: Features, unseen: Features) -> None:
    regressor = REGRESSORS[name].fit(known, device(known))
    again = REGRESSORS[name].from_json(json.loads(json.dumps(regressor.to_json(), allow_nan=False)))
    assert np.array_equal(again(unseen), regressor(unseen))
    assert again.to_json() == regressor.to_json()


@every_regressor
@pytest.mark.parametrize("work", [0.0, 1e-3, 10.0, 1e6])
def test_a_time_is_positive_whatever_the_work(name: str, work: float, known: Features) -> None:
    predicted = REGRESSORS[name].fit(known, device(known))(work * known)
    assert np.isfinite(predicted).all()
    assert (predicted > 0).all()


@every_regressor
def test_ten_thousand_networks_take_less_than_a_second(name: str, known: Features) -> None:
    regressor = REGRESSORS[name].fit(known, device(known))
    many = np.resize(known, (10_000, len(FEATURE_NAMES)))
    started = time.process_time()
    assert regressor(many).shape == (10_000,)
    assert time.process_time() - started < 1


@every_regressor
def test_no_networks_have_no_times(name: str, known: Features) -> None:
    assert REGRESSORS[name].fit(known, device(known))(known[:0]).shape == (0,)


@every_regressor
def test_few_or_equal_networks_are_enough(name: str, known: Features) -> None:
    for features, times in ((known[:8], device(known[:8])), (known[[0] * 8], np.full(8, 0.5))):
        predicted = REGRESSORS[name].fit(features, times)(features)
        assert predicted == pytest.approx(times, rel=1.0)


@pytest.mark.parametrize("name", ["nnls", "nnls+xgboost", "gp"])
def test_more_work_than_was_ever_measured_takes_longer(name: str, known: Features) -> None:
    regressor = REGRESSORS[name].fit(known, device(known))
    assert (regressor(30 * known) > regressor(known)).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weights", [1.0]),
        ("weights", [[1.0]]),
        ("weights", None),
        ("inputs", [[1.0]]),
        ("centre", [1.0]),
        ("scale", [0.0] * (len(FEATURE_NAMES) + 1)),
        ("scale", [1.0]),
        ("length", -1.0),
        ("length", "long"),
        ("offset", float("inf")),
        ("prices", [1.0]),
    ],
)
def test_a_damaged_process_is_refused(field: str, value: Any, known: Features) -> None:
    data = REGRESSORS["gp"].fit(known, device(known)).to_json()
    with pytest.raises((TypeError, ValueError)):
        REGRESSORS["gp"].from_json({**data, field: value})
