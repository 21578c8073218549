"""Boxes by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from supernet.tasks.box_geometry import RAW_RANGE, area, cell_boxes, giou, iou


def test_a_box_is_measured_from_the_centre_of_its_cell() -> None:
    raw = jnp.log(jnp.array([0.5, 1.0, 1.5, 2.0])) * jnp.ones((2, 4, 4))
    boxes = cell_boxes(raw)
    assert boxes.shape == (2, 4, 4)
    np.testing.assert_allclose(boxes[1, 2], [2 / 4, 0.5 / 2, 4 / 4, 3.5 / 2], rtol=1e-6)


def test_raw_distances_are_clipped() -> None:
    boxes = cell_boxes(jnp.full((1, 1, 4), 1e9))
    np.testing.assert_allclose(boxes[0, 0, 2], 0.5 + np.exp(RAW_RANGE[1]), rtol=1e-6)
    assert np.isfinite(jax.grad(lambda raw: cell_boxes(raw).sum())(jnp.full((1, 1, 4), 1e9))).all()


@pytest.mark.parametrize(
    ("box", "overlap", "general"),
    [
        ([0, 0, 0.5, 0.5], 1, 1),
        ([0.25, 0, 0.75, 0.5], 1 / 3, 1 / 3),
        ([0.5, 0.5, 1, 1], 0, -0.5),  # half of the hull is empty
        ([0.2, 0.2, 0.2, 0.2], 0, 0),
    ],
)
def test_overlaps(box: list[float], overlap: float, general: float) -> None:
    square = jnp.array([0, 0, 0.5, 0.5])
    assert float(iou(square, jnp.array(box))) == pytest.approx(overlap, abs=1e-6)
    assert float(giou(square, jnp.array(box))) == pytest.approx(general, abs=1e-6)


def test_an_empty_box_agrees_with_none() -> None:
    empty = jnp.array([0.3, 0.3, 0.3, 0.3])
    assert float(area(jnp.array([0.5, 0.5, 0.2, 0.9]))) == 0
    assert float(iou(empty, empty)) == 0
    assert np.isfinite(jax.grad(lambda box: giou(box, empty))(empty)).all()


def test_stretching_changes_no_overlap() -> None:
    a, b = jnp.array([0.1, 0.1, 0.5, 0.4]), jnp.array([0.2, 0.15, 0.6, 0.5])
    stretch = jnp.array([0.5, 2, 0.5, 2])
    assert float(giou(a * stretch, b * stretch)) == pytest.approx(float(giou(a, b)), rel=1e-5)
