"""The regressor is chosen that suits the device."""

from proxies.latency.choice import NEAR_TIE, REGRESSORS, choose_regressor, evaluate
from proxies.latency.error import HeldOutError

from .made_up_device import device, features_of, space_at


def errors(**mapes: float) -> dict[str, HeldOutError]:
    return {name: HeldOutError(0.9, mape, 64) for name, mape in mapes.items()}


def test_the_least_error_is_chosen() -> None:
    assert choose_regressor(errors(simple=0.09, middle=0.05, hard=0.07)) == "middle"


def test_of_about_equal_ones_the_simplest_is_chosen() -> None:
    assert choose_regressor(errors(simple=0.05 * (1 + 0.9 * NEAR_TIE), middle=0.051, hard=0.05)) == "simple"
    assert choose_regressor(errors(simple=0.05 * (1 + 1.1 * NEAR_TIE), middle=0.051, hard=0.05)) == "middle"


def test_every_regressor_is_evaluated() -> None:
    features = features_of(space_at(12, 16), 20)
    found = evaluate(features, device(features))
    assert list(found) == list(REGRESSORS)
    assert {error.num_networks for error in found.values()} == {20}


def test_a_sum_is_priced() -> None:
    features = features_of(space_at(12, 16), 96)
    assert choose_regressor(evaluate(features, device(features))) == "nnls"


def test_a_device_with_a_cliff_is_corrected() -> None:
    features = features_of(space_at(12, 16), 128)
    found = evaluate(features, device(features, step=1.6))
    assert choose_regressor(found) in ("nnls+xgboost", "gp")
    assert found[choose_regressor(found)].mape < 0.9 * found["nnls"].mape
    assert found["nnls+xgboost"].mape < 0.9 * found["nnls"].mape
