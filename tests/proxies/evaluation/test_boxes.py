"""Boxes of outputs: by hand, and the same in JAX and in NumPy."""

import jax
import numpy as np
import pytest

from hytnas_jax.on_device import decode_boxes as shipped
from proxies.evaluation import boxes
from proxies.evaluation.boxes import FoundBoxes, find_boxes
from supernet.tasks import box_geometry

pytestmark = pytest.mark.usefixtures("quick_compiling")
FIND = jax.jit(find_boxes)


def output_of(*cells: tuple[int, int, int, float, float], num_classes: int = 2, side: int = 8) -> np.ndarray:
    """[side, side, K + 4] where (row, column, class, logit, distance) are the only finds."""
    output = np.full((side, side, num_classes + 4), -9, np.float32)
    output[..., num_classes:] = np.log(0.5)
    for row, column, label, logit, distance in cells:
        output[row, column, label] = logit
        output[row, column, num_classes:] = np.log(distance)
    return output


def real(found: FoundBoxes, image: int = 0) -> list[np.ndarray]:
    """Boxes, scores and classes of those that there are."""
    count = int((found.classes[image] >= 0).sum())
    return [np.asarray(array[image, :count]) for array in found]


def test_one_box() -> None:
    found, scores, classes = real(FIND(output_of((4, 2, 1, 2.0, 1.5))[None]))
    np.testing.assert_allclose(found[0], np.array([1, 3, 4, 6]) / 8, rtol=1e-6)
    assert float(scores[0]) == pytest.approx(1 / (1 + np.exp(-2)))
    assert int(classes[0]) == 1
    assert scores[1] < 0.001


def test_boxes_end_with_the_image() -> None:
    found, *_ = real(FIND(output_of((0, 7, 0, 2.0, 3.0))[None]))
    np.testing.assert_allclose(found[0], np.array([4.5, 0, 8, 3.5]) / 8, rtol=1e-6)


def test_the_lower_of_two_boxes_of_one_object_is_dropped() -> None:
    """Boxes of 6 x 6 cells, one cell apart: their IoU is 30 / 42."""
    output = output_of((4, 3, 0, 1.0, 3.0), (4, 4, 0, 2.0, 3.0), (4, 3, 1, 0.5, 3.0))
    for found, scores, classes in (real(FIND(output[None])), shipped.decode_boxes(output)):
        above = scores > 0.5
        assert classes[above].tolist() == [0, 1]
        np.testing.assert_allclose(found[above][:, 0], [1.5 / 8, 0.5 / 8], rtol=1e-6)


def test_what_is_dropped_drops_none() -> None:
    """In a chain of three the second falls to the first; the third, too far from the first, stays."""
    chain = output_of((4, 2, 0, 3.0, 3.0), (4, 3, 0, 2.0, 3.0), (4, 4, 0, 1.0, 3.0))
    for found, scores, _ in (real(FIND(chain[None])), shipped.decode_boxes(chain)):
        np.testing.assert_allclose(found[scores > 0.5][:, 2], [5.5 / 8, 7.5 / 8], rtol=1e-6)


@pytest.mark.parametrize(("side", "num_classes"), [(12, 1), (20, 1), (7, 3), (12, 80), (1, 1), (2, 2)])
@pytest.mark.parametrize("levels", [None, 12])
def test_the_shipped_file_finds_the_same(side: int, num_classes: int, levels: int | None) -> None:
    """Also for the outputs of a quantised network, among which many are equal."""
    rng = np.random.default_rng(side)
    outputs = rng.normal(0, 1.5, (3, side, side + 1, num_classes + 4)).astype(np.float32)
    if levels:
        outputs = np.round(outputs * levels / 4) / levels * 4
    found = FIND(outputs)
    assert found.boxes.shape == (3, min(boxes.MOST_BOXES, side * (side + 1) * num_classes), 4)
    for image, output in enumerate(outputs):
        for ours, theirs in zip(real(found, image), shipped.decode_boxes(output), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_shipped_file_has_the_same_constants() -> None:
    for name in ("MOST_CANDIDATES", "MOST_BOXES", "SAME_OBJECT_IOU"):
        assert getattr(shipped, name) == getattr(boxes, name)
    assert shipped.RAW_RANGE == box_geometry.RAW_RANGE


@pytest.mark.parametrize("value", [np.nan, np.inf, 100.0, -1000.0])
def test_no_output_is_too_wild(value: float) -> None:
    output = np.full((4, 4, 6), value, np.float32)
    found = FIND(output[None])
    assert found.classes.dtype == np.int32
    with np.errstate(all="ignore"):
        shipped.decode_boxes(output)
