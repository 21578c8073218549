"""When measurements say that a predictor is wrong."""

import numpy as np
import pytest

from hytnas_jax.search.disagreement import GOOD_ERROR, Batch


def batch(factors: list[float], half_width: float = 0.0) -> Batch:
    measured = np.linspace(0.1, 1.0, len(factors))
    return Batch(measured * factors, measured, np.full(len(factors), half_width))


def test_errors_are_shares_of_what_was_measured() -> None:
    assert batch([1.1, 0.8, 1.0]).errors == pytest.approx([0.1, 0.2, 0.0])


@pytest.mark.parametrize(
    ("factors", "half_width", "held_out_error", "disagrees"),
    [
        ([1.02, 0.98], 0.01, 0.04, False),  # as good as it says
        ([1.06, 0.94], 0.01, 0.04, True),  # worse, by chance
        ([1.06, 1.06], 0.01, 0.04, True),  # worse, all alike
        ([1.06, 0.94], 0.07, 0.04, False),  # the measurements are no better
        ([1.10, 0.90], 0.01, 0.30, True),  # a predictor that knows that it is bad
        ([1.04, 0.96], 0.01, 0.30, False),  # and is good here
        ([1.01], 0.0, 0.001, True),
    ],
)
def test_disagreement(
    factors: list[float], half_width: float, held_out_error: float, disagrees: bool
) -> None:
    assert batch(factors, half_width).disagrees(held_out_error) is disagrees


def test_more_than_a_good_predictors_error() -> None:
    assert batch([1.001 + GOOD_ERROR]).disagrees(1.0)
    assert not batch([0.999 + GOOD_ERROR]).disagrees(1.0)
