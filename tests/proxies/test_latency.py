"""A device that is made up: what it costs is known, so the predictions can be judged."""

import copy
import json
from typing import Any

import numpy as np
import pytest

from proxies import latency
from proxies.base import Estimator
from proxies.latency import (
    LatencyEstimator,
    LatencyPredictor,
    cross_validate,
    fit_prices,
    held_out_error,
)
from proxies.latency_features import FEATURE_NAMES, Features, feature_table
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space

MACS = [i for i, name in enumerate(FEATURE_NAMES) if name.startswith("macs")]
NUMS = [i for i, name in enumerate(FEATURE_NAMES) if name.startswith("num")]


def space_at(*resolutions: int) -> SearchSpace:
    return built_in_space("hybrid-small").with_resolutions(resolutions)


def sample(space: SearchSpace, count: int, seed: int = 0) -> list[Architecture]:
    return space.decode_all(space.sample(np.random.default_rng(seed), count))


def features_of(space: SearchSpace, count: int, seed: int = 0) -> Features:
    return feature_table(space.network_spec(a, num_classes=10) for a in sample(space, count, seed))


def device(features: Features, noise: float = 0.02, step: float = 1.0) -> np.ndarray:
    """1 us an operation and 1 ns a MAC, `step` times as long beyond the median; log-normal noise."""
    ms = 1e-3 * features[:, NUMS].sum(axis=1) + 1e-6 * features[:, MACS].sum(axis=1)
    ms = np.where(ms > np.median(ms), step * ms, ms)
    return ms * np.exp(noise * np.random.default_rng(1).standard_normal(len(ms)))


@pytest.fixture(scope="module")
def predictor() -> LatencyPredictor:
    features = features_of(space_at(12, 16), 64)
    return LatencyPredictor.fit(features, device(features))


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


def test_the_reported_error_is_that_on_new_networks(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(12, 16), 300, seed=7)
    found = held_out_error(predictor(features), device(features, noise=0))
    assert predictor.error.num_networks == 64
    assert predictor.error.spearman > 0.98
    assert found.spearman > 0.98
    # The held-out times hold the noise of 1.6 % as well.
    assert found.mape < predictor.error.mape < found.mape + 0.025


def test_the_correction_helps_where_a_device_is_no_sum() -> None:
    features = features_of(space_at(12, 16), 128)
    times = device(features, step=1.6)

    def sum_alone(x: Features, y: np.ndarray) -> Any:
        prices = fit_prices(x, y)
        return lambda unseen: unseen @ prices

    alone = held_out_error(cross_validate(sum_alone, features, times), times)
    assert LatencyPredictor.fit(features, times).error.mape < 0.9 * alone.mape


def test_every_network_is_predicted_without_itself() -> None:
    x, y = np.arange(23.0)[:, None], np.arange(23.0) + 1

    def fit(known: Features, times: np.ndarray) -> Any:
        def predict(unseen: Features) -> np.ndarray:
            assert not set(unseen[:, 0]) & set(known[:, 0])
            return unseen[:, 0] + 1

        return predict

    assert np.array_equal(cross_validate(fit, x, y), y)


def test_error_by_hand() -> None:
    measured = np.array([1.0, 2.0, 4.0, 8.0])
    # Ranks 1 2 4 3: 1 - 6 * 2 / (4 * 15).
    error = held_out_error(np.array([1.1, 2.0, 10.0, 8.0]), measured)
    assert error.spearman == pytest.approx(0.8)
    assert error.mape == pytest.approx((0.1 + 0 + 1.5 + 0) / 4)
    assert error.num_networks == 4


def test_no_rank_at_all_is_no_nan() -> None:
    assert held_out_error(np.ones(3), np.array([1.0, 2.0, 3.0])).spearman == 0


def test_networks_like_the_measured_are_inside(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(12, 16), 200, seed=3)
    assert predictor.outside(features).mean() < 0.1


def test_larger_pictures_are_outside(predictor: LatencyPredictor) -> None:
    features = features_of(space_at(48), 20)
    assert predictor.outside(features).all()
    warning = predictor.warning(features)
    assert warning is not None
    assert warning.startswith("20 of 20 networks are unlike the 64 that")


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
    assert np.array_equal(again(features), predictor(features))
    assert np.array_equal(again.outside(features), predictor.outside(features))
    assert again.error == predictor.error


def _set(key: str, value: Any) -> Any:
    return lambda data: data.__setitem__(key, value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("prices"),
        _set("features", ["network"]),
        _set("prices", [1.0]),
        _set("prices", [-1.0] * len(FEATURE_NAMES)),
        _set("low", [float("nan")] * len(FEATURE_NAMES)),
        _set("high", "high"),
        _set("correction", {}),
        _set("correction", {"learner": 3}),
        _set("error", {"spearman": 1}),
        _set("error", None),
    ],
)
def test_damaged_json_is_refused(predictor: LatencyPredictor, damage: Any) -> None:
    data = copy.deepcopy(predictor.to_json())
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
    features = features_of(space_at(12), latency.MIN_NETWORKS - 1)
    with pytest.raises(UserError, match="holds 9 networks; a predictor needs 10"):
        LatencyPredictor.fit(features, device(features))


def test_the_fewest_networks_are_enough() -> None:
    features = features_of(space_at(12), latency.MIN_NETWORKS)
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
    assert np.array_equal(protocol(architectures), predictor(features_of(space, 5)))
    assert protocol([]).shape == (0,)
    assert predictor.outside(estimator.features([])).shape == (0,)
