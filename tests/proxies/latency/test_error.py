from collections.abc import Callable

import numpy as np
import pytest

from proxies.latency.error import cross_validate, held_out_error
from proxies.latency.features import Features


def test_every_network_is_predicted_without_itself() -> None:
    x, y = np.arange(23.0)[:, None], np.arange(23.0) + 1

    def fit(known: Features, times: np.ndarray) -> Callable[[Features], np.ndarray]:
        def predict(unseen: Features) -> np.ndarray:
            assert not set(unseen[:, 0]) & set(known[:, 0])
            return unseen[:, 0] + 1

        return predict

    assert np.array_equal(cross_validate(fit, x, y), y)
    assert np.array_equal(cross_validate(fit, x, y, num_folds=23), y)


def test_error_by_hand() -> None:
    measured = np.array([1.0, 2.0, 4.0, 8.0])
    # Ranks 1 2 4 3: 1 - 6 * 2 / (4 * 15).
    error = held_out_error(np.array([1.1, 2.0, 10.0, 8.0]), measured)
    assert error.spearman == pytest.approx(0.8)
    assert error.mape == pytest.approx((0.1 + 0 + 1.5 + 0) / 4)
    assert error.num_networks == 4


def test_no_rank_at_all_is_no_nan() -> None:
    assert held_out_error(np.ones(3), np.array([1.0, 2.0, 3.0])).spearman == 0
