"""Intervals of error rates, and of what is no rate."""

import numpy as np
import pytest

from hytnas_jax.report.intervals import error_interval, interval
from hytnas_jax.tasks.measure import ERROR, Measure


def test_interval_of_an_error() -> None:
    # Wilson: (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), z = 1.95996
    low, high = error_interval(0.1, 100)
    z, p, n = 1.959964, 0.1, 100
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx(
        ((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)), 1e-5
    )
    assert error_interval(0.0, 50)[0] == 0.0
    assert interval(0.1, 0.5, 100, ERROR) == (low, high)


def test_interval_of_an_average_precision() -> None:
    """1.96 standard deviations to either side, within 0..1; nothing is known without a deviation."""
    assert interval(0.6, 0.1, 100, Measure("AP")) == pytest.approx((0.404, 0.796), abs=1e-4)
    assert interval(0.9, 0.1, 100, Measure("AP")) == pytest.approx((0.704, 1), abs=1e-4)
    assert interval(0.6, 0.1, 100, Measure("AP"), 0.6827) == pytest.approx((0.5, 0.7), abs=1e-4)
    assert interval(0.6, None, 100, Measure("AP")) is None
