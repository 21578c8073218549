"""The predictor on a device that is made up."""

import copy
import json
from typing import Any

import numpy as np
import pytest

from proxies.base import Estimator
from proxies.latency import predictor as module
from proxies.latency.choice import REGRESSORS, choose_regressor
from proxies.latency.features import FEATURE_NAMES
from proxies.latency.predictor import LatencyEstimator, LatencyPredictor, held_out_error
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec

from .made_up_device import device, features_of, sample, space_at


@pytest.fixture(scope="module")
def predictor() -> LatencyPredictor:
    features = features_of(space_at(12, 16), 64)
    return LatencyPredictor.fit(features, device(features))


def test_the_reported_error_is_that_on_new_networks(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(12, 16), 300, seed=7)
    found = held_out_error(predictor.predict(features), device(features, noise=0))
    assert predictor.error.num_networks == 64
    assert predictor.error.spearman > 0.98
    assert found.spearman > 0.98
    # The held-out times hold the noise of 1.6% as well.
    assert found.mape < predictor.error.mape < found.mape + 0.025


def test_the_chosen_regressor_predicts(predictor: LatencyPredictor) -> None:
    assert list(predictor.candidates) == list(REGRESSORS)
    assert predictor.name == choose_regressor(predictor.candidates)
    assert predictor.error == predictor.candidates[predictor.name]
    features = features_of(space_at(12, 16), 64)
    regressor = REGRESSORS[predictor.name].fit(features, device(features))
    assert np.array_equal(predictor.predict(features), regressor(features))


def test_networks_like_the_measured_are_inside(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(12, 16), 200, seed=3)
    assert predictor.outside(features).mean() < 0.1


def test_larger_images_are_outside(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(48), 20)
    assert predictor.outside(features).all()
    warning = predictor.warning(features)
    assert warning is not None
    assert warning.startswith("20 of 20 networks are unlike the 64 that")


def test_what_was_measured_since_is_inside(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(48), 20)
    wider = predictor.widened(features)
    assert not wider.outside(features).any()
    assert wider.region.num_networks == 84
    assert np.array_equal(wider.predict(features), predictor.predict(features))


def test_an_operation_never_measured_is_outside() -> None:
    features = features_of(space_at(12, 16), 40)
    known = features.copy()
    known[:, [i for i, name in enumerate(FEATURE_NAMES) if name.endswith("softmax")]] = 0
    predictor = LatencyPredictor.fit(known, device(known))
    has_softmax = features[:, FEATURE_NAMES.index("num_softmax")] > 0
    assert 0 < has_softmax.sum() < 40
    assert np.array_equal(predictor.outside(features), has_softmax)
    assert predictor.warning(known) is None


def test_json_round_trip(predictor: LatencyPredictor) -> None:
    text = json.dumps(predictor.to_json(), allow_nan=False)
    again = LatencyPredictor.from_json(json.loads(text))
    features = features_of(space_at(12, 16), 50, seed=9)
    assert np.array_equal(again.predict(features), predictor.predict(features))
    assert np.array_equal(again.outside(features), predictor.outside(features))
    assert again.error == predictor.error
    assert (again.name, again.candidates) == (predictor.name, predictor.candidates)


@pytest.fixture(scope="module")
def corrected_json(predictor: LatencyPredictor) -> dict[str, Any]:
    """Of a predictor with every kind of part: prices, and trees."""
    features = features_of(space_at(12, 16), 64)
    regressor = REGRESSORS["nnls+xgboost"].fit(features, device(features))
    return {**predictor.to_json(), "name": "nnls+xgboost", "regressor": regressor.to_json()}


def _set(*path: str, value: Any) -> Any:
    def damage(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("region"),
        _set("features", value=["network"]),
        _set("name", value="abacus"),
        _set("name", value="transfer"),
        _set("name", value=None),
        _set("regressor", value={}),
        _set("regressor", "correction", value={}),
        _set("regressor", "correction", value={"learner": 3}),
        _set("regressor", "prices", value=[1.0]),
        _set("regressor", "prices", value=[-1.0] * len(FEATURE_NAMES)),
        _set("region", "low", value=[float("nan")] * len(FEATURE_NAMES)),
        _set("region", "high", value="high"),
        _set("region", "num_networks", value=None),
        _set("error", value={"spearman": 1}),
        _set("error", value=None),
        _set("candidates", value=[]),
        _set("candidates", value={"nnls": {}}),
    ],
)
def test_damaged_json_is_refused(corrected_json: dict[str, Any], damage: Any) -> None:
    data = copy.deepcopy(corrected_json)
    damage(data)
    with pytest.raises(UserError, match=r"no latency predictor of this version .* measure the latency again"):
        LatencyPredictor.from_json(data)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_time_is_refused(value: float) -> None:
    features = features_of(space_at(12), 12)
    times = device(features)
    times[3] = value
    with pytest.raises(UserError, match=r"latency_ms\[3\] is .* measure that network again"):
        LatencyPredictor.fit(features, times)


def test_too_few_networks_are_refused() -> None:
    features = features_of(space_at(12), module.MIN_NETWORKS - 1)
    with pytest.raises(UserError, match="holds 9 networks; a predictor needs 10"):
        LatencyPredictor.fit(features, device(features))


def test_the_fewest_networks_are_enough() -> None:
    features = features_of(space_at(12), module.MIN_NETWORKS)
    error = LatencyPredictor.fit(features, device(features)).error
    assert error.num_networks == 10
    assert error.mape < 1


def test_estimator(predictor: LatencyPredictor) -> None:
    space = space_at(12, 16)

    def to_spec(architecture: Architecture) -> NetworkSpec:
        return space.network_spec(architecture, num_classes=10)

    architectures = sample(space, 5)
    estimator = LatencyEstimator(predictor, to_spec)
    protocol: Estimator = estimator
    assert (protocol.name, protocol.unit, protocol.direction) == ("latency_ms", "ms", "min")
    assert np.array_equal(protocol(architectures), predictor.predict(features_of(space, 5)))
    assert protocol([]).shape == (0,)
    assert predictor.outside(estimator.features([])).shape == (0,)
