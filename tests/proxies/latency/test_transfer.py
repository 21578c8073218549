"""A predictor moved to a device whose relation to the first is known."""

import json

import numpy as np
import pytest

from proxies.latency.error import held_out_error
from proxies.latency.features import Features
from proxies.latency.predictor import MIN_MEASURED, LatencyPredictor
from supernet.errors import UserError

from .made_up_device import MACS, NUMS, device, features_of, space_at


@pytest.fixture(scope="module")
def other() -> LatencyPredictor:
    features = features_of(space_at(12, 16), 96)
    return LatencyPredictor.fit(features, device(features, noise=0.01))


@pytest.fixture(scope="module")
def few() -> Features:
    return features_of(space_at(12, 16), 10, seed=3)


@pytest.fixture(scope="module")
def unseen() -> Features:
    return features_of(space_at(12, 16), 200, seed=8)


def lopsided(features: Features) -> np.ndarray:
    """An operation takes ten times as long as on the first device, a MAC as long."""
    return 1e-2 * features[:, NUMS].sum(axis=1) + 1e-6 * features[:, MACS].sum(axis=1)


@pytest.mark.parametrize("factor", [0.02, 1.0, 40.0])
def test_a_scaled_copy_is_recovered(
    other: LatencyPredictor, few: Features, unseen: Features, factor: float
) -> None:
    moved = LatencyPredictor.transfer(other, few, factor * device(few, noise=0.01))
    assert held_out_error(moved.predict(unseen), factor * device(unseen, noise=0)).mape < 0.02


@pytest.mark.parametrize("factor", [0.02, 40.0])
def test_the_unit_of_time_does_not_matter(other: LatencyPredictor, few: Features, factor: float) -> None:
    times = device(few)
    moved, scaled = (LatencyPredictor.transfer(other, few, f * times) for f in (1.0, factor))
    assert scaled.predict(few) == pytest.approx(factor * moved.predict(few))
    assert scaled.error.mape == pytest.approx(moved.error.mape)


def test_other_proportions_are_learnt(other: LatencyPredictor, few: Features, unseen: Features) -> None:
    truth = lopsided(unseen)
    moved = LatencyPredictor.transfer(other, few, lopsided(few))
    factor = np.exp(np.mean(np.log(lopsided(few) / other.predict(few))))
    one_factor = held_out_error(factor * other.predict(unseen), truth).mape
    found = held_out_error(moved.predict(unseen), truth).mape
    assert found < 0.5 * one_factor
    assert found < 0.1


def test_the_error_is_that_of_networks_left_out(
    other: LatencyPredictor, few: Features, unseen: Features
) -> None:
    moved = LatencyPredictor.transfer(other, few, lopsided(few))
    assert moved.name == "transfer"
    assert moved.error.num_networks == 10
    assert moved.candidates == {"transfer": moved.error}
    found = held_out_error(moved.predict(unseen), lopsided(unseen)).mape
    assert 0.3 * found < moved.error.mape < 3 * found


def test_json_round_trip(other: LatencyPredictor, few: Features, unseen: Features) -> None:
    moved = LatencyPredictor.transfer(other, few, lopsided(few))
    twice = LatencyPredictor.transfer(moved, few, 3 * lopsided(few))
    for predictor in (moved, twice):
        again = LatencyPredictor.from_json(json.loads(json.dumps(predictor.to_json(), allow_nan=False)))
        assert np.array_equal(again.predict(unseen), predictor.predict(unseen))
        assert np.array_equal(again.outside(unseen), predictor.outside(unseen))
        assert again.error == predictor.error


def test_the_region_is_the_others(other: LatencyPredictor, few: Features) -> None:
    moved = LatencyPredictor.transfer(other, few, device(few))
    assert moved.warning(features_of(space_at(12, 16), 50, seed=9)) == other.warning(
        features_of(space_at(12, 16), 50, seed=9)
    )
    warning = moved.warning(features_of(space_at(48), 20))
    assert warning is not None
    assert warning.startswith("20 of 20 networks are unlike the 96 that")


def test_too_few_measurements_are_refused(other: LatencyPredictor, few: Features) -> None:
    features = few[: MIN_MEASURED - 1]
    with pytest.raises(UserError, match="holds 4 networks; a transfer needs 5: measure more"):
        LatencyPredictor.transfer(other, features, device(features))
    LatencyPredictor.transfer(other, few[:MIN_MEASURED], device(few[:MIN_MEASURED]))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_time_is_refused(other: LatencyPredictor, few: Features, value: float) -> None:
    times = device(few)
    times[3] = value
    with pytest.raises(UserError, match=r"latency_ms\[3\] is .* measure that network again"):
        LatencyPredictor.transfer(other, few, times)


def test_features_and_times_of_other_lengths_are_refused(other: LatencyPredictor, few: Features) -> None:
    with pytest.raises(ValueError, match="do not go together"):
        LatencyPredictor.transfer(other, few, np.ones(9))


def test_a_transfer_without_its_other_is_refused(other: LatencyPredictor, few: Features) -> None:
    data = LatencyPredictor.transfer(other, few, device(few)).to_json()
    data["regressor"]["other_name"] = "abacus"
    with pytest.raises(UserError, match="no latency predictor of this version"):
        LatencyPredictor.from_json(data)
