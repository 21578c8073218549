"""Boxes and masks follow their images' crops: by hand, against plain loops, and as the pixels show it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hytnas_jax.data import Augmentation, Crops, augment_with_crops, move_boxes, move_masks
from hytnas_jax.data.augment import draw_crops

SIDE = 40
WIDE = Augmentation(mirror=True, smallest=0.4, largest=1.6)


def crops(*each: tuple[int, int, int, bool]) -> Crops:
    size, top, left, mirrored = (np.array(column) for column in zip(*each, strict=True))
    return Crops(jnp.array(size), jnp.array(top), jnp.array(left), jnp.array(mirrored)[:, None])


def drawn(seed: int, count: int, augmentation: Augmentation = WIDE) -> Crops:
    return draw_crops(jax.random.key(seed), count, SIDE, augmentation)


def targets(boxes: list, *, ignored: bool = False) -> dict[str, jax.Array]:
    """The same boxes, in pixels, on one image."""
    corners = jnp.array(boxes, jnp.float32)[None] / SIDE
    classes = jnp.arange(len(boxes), dtype=jnp.int32)[None]
    return {"boxes": corners, "classes": classes, "ignored": jnp.full(classes.shape, ignored)}


@pytest.mark.parametrize(
    ("crop", "box", "expected"),
    [
        ((40, 0, 0, False), (10, 20, 30, 40), (0.25, 0.5, 0.75, 1.0)),
        ((20, 10, 5, False), (10, 20, 15, 25), (0.25, 0.5, 0.5, 0.75)),
        ((20, 10, 5, True), (10, 20, 15, 25), (0.5, 0.5, 0.75, 0.75)),
        ((20, 10, 5, False), (0, 15, 15, 40), (0.0, 0.25, 0.5, 1.0)),  # clipped
        ((80, -20, -40, False), (0, 0, 40, 40), (0.5, 0.25, 1.0, 0.75)),  # the image becomes smaller
        ((80, -20, -40, True), (0, 0, 40, 40), (0.0, 0.25, 0.5, 0.75)),
    ],
)
def test_boxes_by_hand(crop: tuple, box: tuple, expected: tuple) -> None:
    moved = move_boxes(targets([box]), crops(crop), SIDE)
    np.testing.assert_allclose(moved["boxes"][0, 0], expected, atol=1e-6)
    assert moved["classes"][0, 0] == 0


def test_little_that_is_left_is_ignored_and_nothing_is_none() -> None:
    boxes = [(0, 0, 10, 10), (0, 0, 20, 20), (0, 0, 12, 40), (-1, -1, -1, -1)]
    moved = move_boxes(targets(boxes), crops((20, 0, 10, False)), SIDE)
    assert moved["classes"].tolist() == [[-1, 1, 2, -1]]
    assert moved["ignored"].tolist() == [[True, False, True, False]]  # nothing, a half, a twelfth, nothing
    kept = move_boxes(targets(boxes, ignored=True), crops((40, 0, 0, False)), SIDE)
    assert kept["ignored"].all()


def moved_pixel(new: int, start: int, size: int, resolution: int) -> int:
    return int(np.floor(start + (new + 0.5) * size / resolution))


@pytest.mark.parametrize("resolution", [16, 40, 56])
def test_masks_against_loops(resolution: int) -> None:
    masks = np.random.default_rng(0).integers(0, 5, (6, SIDE, SIDE)).astype(np.uint8)
    cut = drawn(1, 6)
    moved = np.asarray(move_masks({"mask": jnp.asarray(masks)}, cut, resolution)["mask"])
    assert moved.dtype == np.uint8
    for image in range(6):
        size, top, left = (int(values[image]) for values in (cut.size, cut.top, cut.left))
        for row in range(resolution):
            for column in range(resolution):
                seen = resolution - 1 - column if bool(cut.mirrored[image, 0]) else column
                y = moved_pixel(row, top, size, resolution)
                x = moved_pixel(seen, left, size, resolution)
                inside = 0 <= y < SIDE and 0 <= x < SIDE
                assert moved[image, row, column] == (masks[image, y, x] if inside else 255)


def test_pixels_masks_and_boxes_stay_together() -> None:
    """A white rectangle on black: its mask, its box and its pixels agree in every crop."""
    count, resolution = 64, 80
    rng = np.random.default_rng(2)
    low = rng.integers(2, 20, (count, 2))
    high = low + rng.integers(6, 18, (count, 2))
    images, masks = np.zeros((count, SIDE, SIDE, 1), np.uint8), np.zeros((count, SIDE, SIDE), np.uint8)
    for image, ((x, y), (right, bottom)) in enumerate(zip(low, high, strict=True)):
        images[image, y:bottom, x:right] = 255
        masks[image, y:bottom, x:right] = 1
    boxes = jnp.asarray(np.concatenate([low, high], 1)[:, None] / SIDE, jnp.float32)
    one = {
        "boxes": boxes,
        "classes": jnp.zeros((count, 1), jnp.int32),
        "ignored": jnp.zeros((count, 1), bool),
    }
    pixels, cut = augment_with_crops(
        jax.random.key(3), jnp.asarray(images), WIDE, resolution=resolution, mean=(0.0,), std=(1.0,)
    )
    mask = np.asarray(move_masks({"mask": jnp.asarray(masks)}, cut, resolution)["mask"])
    moved = move_boxes(one, cut, SIDE)
    shown = np.asarray(pixels[..., 0])
    sure = np.abs(shown - 0.5) > 0.49  # not at an edge, which is blurred
    assert sure.mean() > 0.8
    np.testing.assert_array_equal((mask == 1)[sure], (shown > 0.5)[sure])
    for image in range(count):
        rows, columns = np.nonzero(mask[image] == 1)
        if not len(rows):
            assert moved["ignored"][image, 0]
            continue
        found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / resolution
        np.testing.assert_allclose(moved["boxes"][image, 0], found, atol=1 / resolution)
        assert moved["classes"][image, 0] == 0


def test_margins_have_the_mean_colour() -> None:
    images = jnp.full((4, SIDE, SIDE, 3), 255, jnp.uint8)
    far = Augmentation(mirror=False, smallest=2.0, largest=2.0)
    pixels, cut = augment_with_crops(
        jax.random.key(0), images, far, resolution=20, mean=(0.2, 0.4, 0.6), std=(0.1, 0.1, 0.1)
    )
    mask = move_masks({"mask": jnp.zeros((4, SIDE, SIDE), jnp.uint8)}, cut, 20)["mask"]
    assert 0.7 < float((mask == 255).mean()) < 0.8  # three quarters lie outside
    np.testing.assert_allclose(pixels[mask == 255], 0, atol=1e-5)
    np.testing.assert_allclose(
        pixels[mask == 0], (1 - np.array([0.2, 0.4, 0.6])) / 0.1 * np.ones((400, 1)), 1e-5
    )


def test_colour_changes_brightness_and_contrast_alone() -> None:
    images = jnp.asarray(np.random.default_rng(0).integers(60, 190, (200, 6, 6, 3)), jnp.uint8)
    plain = Augmentation(mirror=False, smallest=1.0)
    options = {"resolution": 6, "mean": (0.0,) * 3, "std": (1.0,) * 3}
    key = jax.random.key(5)
    before, _ = augment_with_crops(key, images, plain, **options)
    np.testing.assert_allclose(before, images / 255, atol=1e-6)
    after, _ = augment_with_crops(
        key, images, Augmentation(mirror=False, smallest=1.0, colour=0.3), **options
    )
    ratios = np.asarray(after.mean((1, 2, 3)) / before.mean((1, 2, 3)))
    assert 0.7 <= ratios.min() < 0.75
    assert 1.25 < ratios.max() <= 1.3
    assert abs(ratios.mean() - 1) < 0.03
    contrast = np.asarray(after.std((1, 2, 3)) / before.std((1, 2, 3))) / ratios
    assert contrast.min() + 1e-3 >= 0.7
    assert contrast.max() <= 1.3 + 1e-3
    assert float(after.min()) >= 0
    assert float(after.max()) <= 1


def test_one_program_for_all_crops() -> None:
    move = jax.jit(lambda boxes, cut: move_boxes(boxes, cut, SIDE))
    for seed in range(3):
        move(targets([(1, 1, 9, 9)]), drawn(seed, 1))
    assert move._cache_size() == 1
