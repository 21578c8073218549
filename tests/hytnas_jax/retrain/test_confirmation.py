"""Which networks stay on a front, by hand: of 100 images, two errors near 10% have to be 0.085 apart."""

import numpy as np
import pytest

from hytnas_jax.retrain.confirmation import confirm


def binomial(errors, images):
    """Standard deviations of error rates on so many images."""
    errors = np.array(errors)
    return np.sqrt(errors * (1 - errors) / images)


@pytest.mark.parametrize(
    ("costs", "errors", "verdicts"),
    [
        ([[1.0], [2.0], [3.0]], [0.3, 0.2, 0.1], ["yes", "yes", "yes"]),
        ([[1.0], [2.0], [3.0]], [0.1, 0.12, 0.3], ["yes", "unclear", "no"]),
        ([[1.0], [1.0]], [0.1, 0.1], ["yes", "yes"]),  # none is better
        ([[1.0, 5.0], [2.0, 4.0]], [0.1, 0.3], ["yes", "yes"]),  # dearer, but in one cost only
    ],
)
def test_front(costs, errors, verdicts):
    assert confirm(np.array(costs), np.array(errors), binomial(errors, 100)) == verdicts


def test_more_images_make_it_clear():
    costs, errors = np.array([[1.0], [2.0]]), np.array([0.1, 0.12])
    assert confirm(costs, errors, binomial(errors, 100))[1] == "unclear"
    assert confirm(costs, errors, binomial(errors, 10_000))[1] == "no"
