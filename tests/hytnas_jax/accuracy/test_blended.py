"""The blended error: the supernet's loss and a count in equal parts, on the scale of the supernet's error."""

import dataclasses

import numpy as np
import pytest
from scipy.special import expit, logit

from hytnas_jax.accuracy.blended import BlendedError, Scales
from proxies.base import Estimate

LOSS, COUNT = np.array([1.0, 2.0, 3.0]), np.exp([7.0, 5.0, 3.0])
ERROR = expit([-2.0, -1.0, 0.0])
STD = np.sqrt(2 / 3)  # of 1, 2, 3


def test_the_scales_by_hand() -> None:
    scales = Scales.of(ERROR, LOSS, COUNT)
    for found, expected in zip(dataclasses.astuple(scales), ((2, STD), (5, 2 * STD), (-1, STD)), strict=True):
        assert found == pytest.approx(expected)


def test_each_part_counts_as_much_as_the_other() -> None:
    scales = Scales.of(ERROR, LOSS, COUNT)
    # Both parts agree on the sample, so that the blend is the supernet's error again.
    assert scales.blend(LOSS, COUNT) == pytest.approx(ERROR)
    # One deviation more loss is made up for by one deviation of the count.
    assert scales.blend(np.array([2 + STD]), np.exp([5 + 2 * STD])) == pytest.approx(expit(-1))
    # With nothing to make up for it, it is worth half a deviation of the log-odds.
    assert logit(scales.blend(np.array([2 + STD]), np.exp([5.0]))) == pytest.approx([-1 + STD / 2])


def test_what_does_not_vary_has_no_say() -> None:
    scales = Scales.of(ERROR, LOSS, np.full(3, 10.0))
    assert logit(scales.blend(LOSS, np.array([1.0, 10.0, 100.0]))) == pytest.approx([-1.5, -1, -0.5])


def test_a_loss_that_is_no_number_is_left_out_of_the_scales_and_makes_no_error() -> None:
    scales = Scales.of(np.append(ERROR, 0.9), np.append(LOSS, np.nan), np.append(COUNT, 1e9))
    assert scales == Scales.of(ERROR, LOSS, COUNT)
    assert np.isnan(scales.blend(np.array([np.nan]), np.array([100.0]))).all()


def test_errors_of_none_and_all_have_log_odds() -> None:
    scales = Scales.of(np.array([0.0, 1.0]), LOSS[:2], COUNT[:2])
    assert np.isfinite(scales.odds).all()


def test_the_estimator_asks_the_supernet_once_and_hands_its_losses_on() -> None:
    class Supernet:
        calls = 0

        def estimate(self, architectures: list[int]) -> Estimate:
            self.calls += 1
            return Estimate(np.zeros(len(architectures)), details={"loss": LOSS[architectures]})

    supernet = Supernet()
    scales = Scales.of(ERROR, LOSS, COUNT)
    estimator = BlendedError(supernet, lambda architectures: COUNT[architectures], scales)  # type: ignore[arg-type]
    found = estimator.estimate([2, 0])  # type: ignore[list-item]
    assert found.values == pytest.approx(ERROR[[2, 0]])
    assert found.details["loss"].tolist() == [3.0, 1.0]
    assert supernet.calls == 1
