"""Agreement of logits by hand, and what is refused."""

import math

import numpy as np
import pytest

from hytnas_jax.model_files.parity import Check, ExportMismatch, compare, refuse_mismatch
from hytnas_jax.tasks import vision_task

LABELS = np.array([0, 0, 1])


def check(expected: list[list[float]], found: list[list[float]], labels: np.ndarray = LABELS) -> Check:
    task = vision_task("classification", 2)
    return compare(np.array(expected, np.float32), np.array(found, np.float32), task, {"label": labels})


def test_agreement_counts_ties_and_right_answers() -> None:
    agreement = check([[10, 0], [5, 5.001], [0, 1]], [[10, 0.005], [5.002, 5], [0, 1]])
    assert agreement.max_difference == pytest.approx(0.005, rel=1e-3)
    assert (agreement.scale, agreement.same_class, agreement.tied) == (10.0, 2 / 3, 1 / 3)
    assert agreement.quality == 1
    assert agreement.quality_in_jax == pytest.approx(2 / 3)
    assert agreement.loss == pytest.approx(-1 / 3)
    assert agreement.correlation == pytest.approx(1, abs=1e-5)


def test_a_constant_file_has_no_correlation() -> None:
    assert check([[1, 0], [0, 1], [1, 1]], [[2, 2]] * 3).correlation == 0


@pytest.mark.parametrize("wrong", [0.011, math.nan])
def test_a_float_file_that_differs_is_refused(wrong: float) -> None:
    found = check([[10.0, 0.0]], [[10.0, wrong]], LABELS[:1])
    with pytest.raises(ExportMismatch, match=r"network n as onnx and JAX differ"):
        refuse_mismatch(found, what="network n as onnx", is_integer=False)


def test_an_integer_file_only_has_to_give_numbers() -> None:
    refuse_mismatch(check([[10, 0]], [[3, 0]], LABELS[:1]), what="n", is_integer=True)
    with pytest.raises(ExportMismatch):
        refuse_mismatch(check([[10, 0]], [[math.nan, 0]], LABELS[:1]), what="n", is_integer=True)
