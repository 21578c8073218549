"""Boxes and masks lie on the same things after a crop as before: against plain NumPy, and against images."""

import functools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hytnas_jax.data import Augmentation, Crops, move_boxes, move_masks
from hytnas_jax.data.augment import cut_out, draw_crops
from hytnas_jax.data.augment_targets import KEPT, THINNEST

Crop = tuple[int, int, int, bool]  # size, top, left, mirrored
SIDE = 20
WHOLE = (SIDE, 0, 0, False)
LARGEST = 2 * SIDE


def crops_of(*crops: Crop) -> Crops:
    return Crops(*map(jnp.asarray, zip(*crops, strict=True)))


def drawn_crops(num: int) -> Crops:
    """Smaller and larger than the image, mirrored and not."""
    drawn = Augmentation(mirror=True, smallest=0.4, largest=2.0)
    return draw_crops(jax.random.key(0), num, SIDE, drawn)


def targets_of(boxes: list[list[float]], classes: list[int], ignored: list[bool]) -> dict[str, np.ndarray]:
    """Of one image."""
    return {
        "boxes": np.array([boxes], np.float32),
        "classes": np.array([classes], np.int32),
        "ignored": np.array([ignored]),
    }


def random_boxes(num: int, most: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    corners = np.sort(rng.random((num, most, 2, 2)), axis=2).reshape(num, most, 4)
    return {
        "boxes": corners.astype(np.float32),
        "classes": rng.integers(-1, 5, (num, most)).astype(np.int32),
        "ignored": rng.random((num, most)) < 0.2,
    }


def moved(targets: dict[str, np.ndarray], crops: Crops) -> dict[str, np.ndarray]:
    return jax.tree.map(np.asarray, jax.jit(move_boxes, static_argnames="side")(targets, crops, side=SIDE))


def moved_masks(masks: np.ndarray, crops: Crops, resolution: int) -> np.ndarray:
    move = jax.jit(move_masks, static_argnames="resolution")
    return np.asarray(move({"mask": masks}, crops, resolution=resolution)["mask"])


def plain_boxes(targets: dict[str, np.ndarray], crops: Crops) -> dict[str, np.ndarray]:
    out = {name: np.zeros_like(values) for name, values in targets.items()}
    out["classes"][:] = -1
    for image, box in np.ndindex(targets["classes"].shape):
        size, top, left, mirrored = (field[image].item() for field in crops)
        x0, y0, x1, y1 = targets["boxes"][image, box].astype(float) * SIDE - (left, top, left, top)
        if mirrored:
            x0, x1 = size - x1, size - x0
        shown = max(x0, 0), max(y0, 0), min(x1, size), min(y1, size)
        width, height = shown[2] - shown[0], shown[3] - shown[1]
        if targets["classes"][image, box] < 0 or min(width, height) < THINNEST:
            continue
        out["classes"][image, box] = targets["classes"][image, box]
        out["boxes"][image, box] = np.divide(shown, size)
        cut = width * height < KEPT * (x1 - x0) * (y1 - y0)
        out["ignored"][image, box] = cut or targets["ignored"][image, box]
    return out


def plain_mask(mask: np.ndarray, crop: Crop, resolution: int) -> np.ndarray:
    size, top, left, mirrored = crop
    out = np.full((resolution, resolution), 255, np.uint8)
    for y, x in np.ndindex(out.shape):
        row = top + Fraction((2 * y + 1) * size, 2 * resolution)
        column = left + Fraction((2 * (resolution - 1 - x if mirrored else x) + 1) * size, 2 * resolution)
        if 0 <= row < len(mask) and 0 <= column < len(mask):
            out[y, x] = mask[int(row), int(column)]
    return out


def random_rectangles(num: int) -> tuple[np.ndarray, np.ndarray]:
    """One in each image: masks uint8 [num, SIDE, SIDE], 1 inside, and boxes float32 [num, 1, 4]."""
    rng = np.random.default_rng(2)
    masks, boxes = np.zeros((num, SIDE, SIDE), np.uint8), np.zeros((num, 1, 4), np.float32)
    for mask, box in zip(masks, boxes, strict=True):
        (left, top), (width, height) = rng.integers(0, SIDE // 2, 2), rng.integers(4, SIDE // 2 + 1, 2)
        mask[top : top + height, left : left + width] = 1
        box[0] = np.array([left, top, left + width, top + height]) / SIDE
    return masks, boxes


def cut_rectangles(masks: np.ndarray, crops: Crops, resolution: int) -> np.ndarray:
    """The images of the masks: 100 inside of the rectangle, 0 around it, 510 outside of the image."""
    cut = functools.partial(cut_out, resolution=resolution, largest=LARGEST, empty=(2.0,))
    return np.asarray(jax.jit(cut)(100 * masks[..., None], crops))[..., 0]


def test_boxes_are_as_in_numpy() -> None:
    targets, crops = random_boxes(200, 7), drawn_crops(200)
    found, expected = moved(targets, crops), plain_boxes(targets, crops)
    np.testing.assert_array_equal(found["classes"], expected["classes"])
    np.testing.assert_array_equal(found["ignored"], expected["ignored"])
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-6)
    for name, values in found.items():
        assert values.dtype == targets[name].dtype
    real = targets["classes"] >= 0
    cut = found["ignored"] & ~targets["ignored"]
    gone = real & (found["classes"] < 0)
    assert min(cut.sum(), gone.sum(), (real & ~cut & ~gone).sum()) > 20  # there is some of each


@pytest.mark.parametrize(
    ("crop", "expected"),
    [
        (WHOLE, (0.3, 0.1, 0.5, 0.4)),
        ((SIDE, 0, 0, True), (0.5, 0.1, 0.7, 0.4)),
        ((10, 0, 4, False), (0.2, 0.2, 0.6, 0.8)),
        ((10, 0, 4, True), (0.4, 0.2, 0.8, 0.8)),
        ((10, 4, 8, False), (0.0, 0.0, 0.2, 0.4)),
        ((10, 4, 8, True), (0.8, 0.0, 1.0, 0.4)),
        ((40, -10, 0, False), (0.15, 0.3, 0.25, 0.45)),
        ((40, -10, 0, True), (0.75, 0.3, 0.85, 0.45)),
    ],
)
def test_boxes_by_hand(crop: Crop, expected: tuple[float, ...]) -> None:
    targets = targets_of([[0.3, 0.1, 0.5, 0.4]], [2], [False])  # in pixels 6, 2, 10, 8
    found = moved(targets, crops_of(crop))
    np.testing.assert_allclose(found["boxes"][0, 0], expected, atol=1e-6)
    assert found["classes"].item() == 2


# A box of pixels 0 to 10 along both sides, in crops further and further to the right.
@pytest.mark.parametrize(
    ("left", "label", "ignored"),
    [(0, 3, False), (6, 3, False), (8, 3, True), (10, -1, False), (12, -1, False)],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_left_of_a_box_decides(left: int, label: int, ignored: bool, mirrored: bool) -> None:
    found = moved(targets_of([[0, 0, 0.5, 0.5]], [3], [False]), crops_of((SIDE, 0, left, mirrored)))
    assert (found["classes"].item(), found["ignored"].item()) == (label, ignored)
    assert found["boxes"].any() == (label >= 0)


def test_a_box_that_touches_the_crop_by_rounding_is_none() -> None:
    beyond = float(np.nextafter(np.float32(0.3), np.float32(1)))
    found = moved(targets_of([[0, 0, beyond, 1]], [0], [False]), crops_of((10, 0, 6, False)))
    assert found["classes"].item() == -1
    assert not found["boxes"].any()


def test_ignored_boxes_stay_ignored_and_none_stays_none() -> None:
    targets = targets_of([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5], [0, 0, 0, 0]], [1, -1, -1], [True, True, False])
    found = moved(targets, crops_of(WHOLE))
    assert found["classes"].tolist() == [[1, -1, -1]]
    assert found["ignored"].tolist() == [[True, False, False]]
    assert np.isfinite(found["boxes"]).all()


@pytest.mark.parametrize("resolution", [SIDE, 13, 32])
def test_a_painted_rectangle_lies_at_its_moved_box(resolution: int) -> None:
    masks, boxes = random_rectangles(100)
    crops = drawn_crops(100)
    targets = {"boxes": boxes, "classes": np.zeros((100, 1), np.int32), "ignored": np.zeros((100, 1), bool)}
    found = moved(targets, crops)
    pixels = cut_rectangles(masks, crops, resolution)
    compared = 0
    for image, box, label in zip(
        pixels, resolution * found["boxes"][:, 0], found["classes"][:, 0], strict=True
    ):
        rows, columns = np.nonzero((image > 50) & (image < 510))
        if label < 0:
            assert not len(rows)
        elif min(box[2] - box[0], box[3] - box[1]) >= 2:  # new pixels: smaller ones may be blurred away
            painted = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            np.testing.assert_allclose(box, painted, atol=1)
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("resolution", [SIDE, 13, 32])
def test_masks_are_as_in_numpy(resolution: int) -> None:
    masks = np.random.default_rng(3).integers(0, 255, (40, SIDE, SIDE), np.uint8)
    crops = drawn_crops(40)
    found = moved_masks(masks, crops, resolution)
    assert found.dtype == np.uint8
    for mask, one, *crop in zip(masks, found, *(field.tolist() for field in crops), strict=True):
        np.testing.assert_array_equal(one, plain_mask(mask, tuple(crop), resolution))


def test_masks_by_hand() -> None:
    mask = np.array([[[0, 1], [2, 255]]], np.uint8)
    crops = [(2, 0, 0, True), (1, 1, 0, False), (4, -1, -2, False), (4, -1, -2, True)]
    halved = moved_masks(mask.repeat(4, 0), crops_of(*crops), 4)
    assert halved[0].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [255, 255, 2, 2], [255, 255, 2, 2]]
    assert (halved[1] == 2).all()
    rows = [255, 255, 0, 1], [255, 255, 2, 255]
    assert halved[2].tolist() == [[255] * 4, *map(list, rows), [255] * 4]
    assert halved[3].tolist() == [[255] * 4, *(row[::-1] for row in rows), [255] * 4]
    # Of 3 new pixels, the middle one has its centre on a boundary: it takes the stored pixel after it.
    assert moved_masks(mask, crops_of((2, 0, 0, False)), 3)[0].tolist() == [
        [0, 1, 1],
        [2, 255, 255],
        [2, 255, 255],
    ]


@pytest.mark.parametrize("resolution", [SIDE, 13, 32])
def test_masks_agree_with_images(resolution: int) -> None:
    masks, _ = random_rectangles(100)
    crops = drawn_crops(100)
    pixels = cut_rectangles(masks, crops, resolution)
    found = moved_masks(masks, crops, resolution)
    np.testing.assert_array_equal(pixels > 500, found == 255)
    inside, around = np.abs(pixels - 100) < 1e-3, np.abs(pixels) < 1e-3  # the rest is on an edge
    assert (found[inside] == 1).all()
    assert (found[around] == 0).all()
    assert (inside | around | (found == 255)).mean() > 0.8
    assert inside.any(axis=(1, 2)).mean() > 0.5


def test_mirrored_twice_is_the_same() -> None:
    crops = crops_of(*[(SIDE, 0, 0, True)] * 4)
    targets = random_boxes(4, 5) | {"ignored": np.zeros((4, 5), bool), "classes": np.ones((4, 5), np.int32)}
    for name, values in moved(moved(targets, crops), crops).items():
        np.testing.assert_allclose(values, targets[name], atol=1e-6)
    masks = np.random.default_rng(4).integers(0, 256, (4, SIDE, SIDE), np.uint8)
    once = moved_masks(masks, crops, SIDE)
    np.testing.assert_array_equal(once, masks[:, :, ::-1])
    np.testing.assert_array_equal(moved_masks(once, crops, SIDE), masks)


def test_nothing_is_left_where_a_crop_misses_the_image() -> None:
    crops = crops_of((6, -6, 0, False), (6, SIDE, 0, True), (6, 0, SIDE, False), (6, 0, -6, True))
    targets = random_boxes(4, 5)
    found = moved(targets, crops)
    assert (found["classes"] == -1).all()
    assert not found["boxes"].any()
    assert not found["ignored"].any()
    masks = np.zeros((4, SIDE, SIDE), np.uint8)
    assert (moved_masks(masks, crops, 9) == 255).all()
    assert (cut_rectangles(masks, crops, 9) == 510).all()


def test_masks_agree_with_images_where_no_crop_has_margins() -> None:
    masks, _ = random_rectangles(50)
    crops = draw_crops(jax.random.key(1), 50, SIDE, Augmentation(mirror=True))
    pixels = np.asarray(cut_out(100 * masks[..., None], crops, resolution=SIDE, largest=SIDE, empty=(2.0,)))
    found = moved_masks(masks, crops, SIDE)
    assert found.max() == 1
    clear = np.abs(pixels[..., 0] - 50) > 49.9
    np.testing.assert_allclose(pixels[..., 0][clear], 100.0 * found[clear], atol=0.1)
