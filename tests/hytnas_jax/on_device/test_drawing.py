"""Boxes and masks are drawn where they are, in the colours of their classes."""

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.on_device.drawing import class_colour, draw_boxes, draw_mask

LABELS = ["person", "dog", "cat"]


def places(image: Image.Image, number: int) -> np.ndarray:
    """The pixels that have a class's colour: bool [H, W]."""
    return (np.asarray(image) == class_colour(number)).all(-1)


def test_colours_differ() -> None:
    colours = np.array([class_colour(number) for number in range(80)])
    assert colours.min() >= 0
    assert colours.max() <= 255
    assert len(np.unique(colours, axis=0)) == len(colours)
    first = colours[:10]
    apart = np.abs(first[:, None] - first).sum(-1) + 999 * np.eye(10)
    assert apart.min() > 100


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_sides_of_boxes(mode: str) -> None:
    image = Image.new("L", (400, 200), 90).convert(mode)
    boxes = np.array([[0.25, 0.5, 0.5, 0.9], [0.5, 0.5, 1, 1]], np.float32)
    drawn = draw_boxes(image, boxes, np.array([0.9, 0.5]), np.array([0, 2]), LABELS)
    assert (drawn.mode, drawn.size) == ("RGB", (400, 200))
    person, cat = places(drawn, 0), places(drawn, 2)
    assert person[100:180, [100, 101, 198, 199]].all()
    assert person[[100, 101, 178, 179], 100:200].all()
    assert not person[102:178, 102:198].any()
    assert not person[180:].any()
    assert cat[100:200, [200, 201, 398, 399]].all()
    assert cat[198:200, 200:400].all()
    assert not places(drawn, 1).any()
    is_drawn = (np.asarray(drawn) != 90).any(-1)
    assert not is_drawn[:80].any()
    assert is_drawn[80:100, 100:200].any()  # the label


def test_labels_stay_in_the_image() -> None:
    image = Image.new("RGB", (200, 100))
    boxes = np.array([[0.9, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], np.float32)
    drawn = draw_boxes(image, boxes, np.array([0.9, 0.8, 0.7]), np.array([0, 1, 2]), LABELS)
    assert places(drawn, 0)[:10, 150:180].any()
    assert image.getbbox() is None  # what was given is not drawn into


def test_the_best_is_on_top() -> None:
    boxes = np.array([[0.2, 0.5, 0.8, 0.9]] * 2, np.float32)
    drawn = draw_boxes(Image.new("RGB", (200, 200)), boxes, np.array([0.9, 0.4]), np.array([1, 0]), LABELS)
    assert places(drawn, 1)[100, 40:160].all()


def test_boxes_without_scores_have_their_label_alone() -> None:
    """What is there has no score: the tag is shorter, and in the order given the last is on top."""
    boxes = np.array([[0.2, 0.5, 0.8, 0.9]] * 2, np.float32)
    image = Image.new("RGB", (400, 200))
    truth = draw_boxes(image, boxes, None, np.array([0, 1]), LABELS)
    found = draw_boxes(image, boxes[:1], np.array([0.9]), np.array([1]), LABELS)
    assert places(truth, 1)[100, 80:320].all()
    assert not places(truth, 0)[100].any()
    in_tags = [int(places(drawn, 1)[85:95].any(0).sum()) for drawn in (truth, found)]
    assert 0 < in_tags[0] < in_tags[1]


def test_no_boxes() -> None:
    image = Image.new("RGB", (20, 10), "red")
    drawn = draw_boxes(image, np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), LABELS)
    np.testing.assert_array_equal(drawn, image)


def test_widths_grow_with_the_image() -> None:
    boxes, found = np.array([[0.25, 0.5, 0.75, 1]]), []
    for side in (50, 200, 1600):
        drawn = draw_boxes(Image.new("RGB", (side, side)), boxes, np.array([0.5]), np.array([0]), LABELS)
        found.append(int(places(drawn, 0)[side * 3 // 4, : side // 2].sum()))
    assert found == [1, 1, 9]


def test_masks() -> None:
    """One of another size; 255 and "background" are no colours."""
    image = Image.new("L", (80, 40), 100)
    mask = np.array([[0, 1], [2, 255]], np.uint8)
    drawn = np.asarray(draw_mask(image, mask, ["background", "dog", "cat"]))
    assert drawn.shape[0] > 40
    assert (drawn[:20, :40] == 100).all()
    assert (drawn[20:40, 40:80] == 100).all()
    for rows, columns, number in ((slice(20), slice(40, 80), 1), (slice(20, 40), slice(40), 2)):
        assert np.abs(drawn[rows, columns] - (np.array(class_colour(number)) + 100) / 2).max() <= 1
    legend = Image.fromarray(drawn[40:])
    assert [places(legend, number).any() for number in range(3)] == [False, True, True]


def test_a_mask_of_background_alone_has_no_legend() -> None:
    image = Image.new("RGB", (30, 20), "red")
    mask = np.zeros((20, 30), np.uint8)
    np.testing.assert_array_equal(draw_mask(image, mask, ["background", "dog"]), image)
    assert draw_mask(image, mask, ["floor", "dog"]).height > 20


def test_a_long_legend_is_wrapped() -> None:
    names = [f"class {number}" for number in range(20)]
    mask = np.arange(20, dtype=np.uint8).repeat(5)[None].repeat(50, 0)
    drawn = draw_mask(Image.new("RGB", (100, 50)), mask, names)
    legend = drawn.crop((0, 50, *drawn.size))
    assert all(places(legend, number).sum() > 20 for number in range(20))
    wide = draw_mask(Image.new("RGB", (10, 10)), np.zeros((10, 10), np.uint8), ["a very long name"])
    assert wide.width > 50


@pytest.mark.parametrize("label", ["two\nlines", "caf\udce9", "Ωμέγα", "emoji😀"])
def test_labels_that_the_font_lacks_are_numbers(label: str) -> None:
    mask, image = np.ones((40, 200), np.uint8), Image.new("RGB", (200, 40))
    found, expected = (draw_mask(image, mask, ["a", name]) for name in (label, "class 1"))
    np.testing.assert_array_equal(found, expected)
    accents, plain = (draw_mask(image, mask, ["a", name]) for name in ("café ä", "cafe a"))
    np.testing.assert_array_equal(accents, plain)
