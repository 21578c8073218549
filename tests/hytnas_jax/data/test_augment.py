"""Augmentation: the same pixels as plain resizing where nothing is drawn, and bounded where it is."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hytnas_jax.data import Augmentation, Crops, augment, augment_with_crops, prepare
from hytnas_jax.data.augment import cut_out, draw_crops
from supernet.errors import UserError

HALF = {"mean": (0.5,), "std": (0.25,)}
IDENTITY = {"mean": (0.0,), "std": (1 / 255,)}  # gives the pixels 0..255 back
# Size, top, left and mirrored of four crops of 64 pixels with the key 0.
DRAWN = [[51, 48, 58, 52], [12, 16, 4, 11], [5, 4, 5, 11], [True, False, False, True]]


def random_images(side: int, *, num: int = 2, channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (num, side, side, channels), np.uint8)


def test_prepare_normalises_by_channel() -> None:
    images = jnp.full((1, 2, 2, 3), 51, jnp.uint8)  # 0.2
    out = prepare(images, resolution=2, mean=(0.2, 0.0, 0.1), std=(1.0, 0.5, 0.1))
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out[0, 0, 0], (0.0, 0.4, 1.0), atol=1e-6)


def test_prepare_averages_when_it_shrinks() -> None:
    images = jnp.asarray([[0, 80], [160, 240]], jnp.uint8).reshape(1, 2, 2, 1)
    np.testing.assert_allclose(prepare(images, resolution=1, **IDENTITY).ravel(), [120], rtol=1e-5)


@pytest.mark.parametrize(("side", "resolution"), [(8, 8), (8, 16), (14, 10), (16, 5)])
def test_augment_without_draws_is_prepare(side: int, resolution: int) -> None:
    plain = functools.partial(prepare, resolution=resolution, **HALF)
    drawn = functools.partial(augment, resolution=resolution, mirror=False, crop=False, **HALF)
    images = random_images(side)
    np.testing.assert_allclose(jax.jit(drawn)(jax.random.key(0), images), plain(images), atol=1e-4)


def test_about_half_of_the_images_are_mirrored() -> None:
    images = np.repeat(random_images(4, num=1), 64, axis=0)
    out = augment(jax.random.key(1), images, resolution=4, mirror=True, crop=False, **IDENTITY)
    mirrored = np.isclose(out, images[:, :, ::-1], atol=1e-2).all(axis=(1, 2, 3))
    unchanged = np.isclose(out, images, atol=1e-2).all(axis=(1, 2, 3))
    assert (mirrored ^ unchanged).all()
    assert 16 < mirrored.sum() < 48


def test_a_crop_of_a_ramp_is_a_shallower_ramp_within_it() -> None:
    side = 16
    ramp = np.broadcast_to(10 * np.arange(side, dtype=np.uint8)[:, None, None], (32, side, side, 1))
    out = augment(jax.random.key(0), ramp, resolution=side, mirror=True, crop=True, **IDENTITY)
    rows = np.asarray(out)[:, :, 0, 0]
    slopes = np.diff(rows[:, 3:-3], axis=1)  # 10 times the crop's part of the side
    np.testing.assert_allclose(slopes, slopes[:, :1].repeat(slopes.shape[1], axis=1), atol=1e-2)
    assert slopes.min() >= 7.5 - 1e-2
    assert slopes.max() <= 10 + 1e-2
    assert np.unique(slopes[:, 0].round(3)).size > 2
    assert rows.min() >= 0
    assert rows.max() <= 150 + 1e-2


def test_same_key_same_images_and_images_differ() -> None:
    images = np.repeat(random_images(8, num=1), 8, axis=0)
    step = functools.partial(augment, resolution=8, mirror=True, crop=True, **HALF)
    first = step(jax.random.key(0), images)
    np.testing.assert_array_equal(first, step(jax.random.key(0), images))
    assert not np.allclose(first, step(jax.random.key(1), images))
    assert np.ptp(first, axis=0).max() > 0.1  # one image, eight draws


def without_margins(key: jax.Array, images: Any, *, resolution: int, mirror: bool, crop: bool) -> jax.Array:
    """What `augment` was before a crop could be larger than its image."""
    size_key, top_key, left_key, mirror_key = jax.random.split(key, 4)
    num, side = images.shape[:2]
    size = jax.random.randint(size_key, (num,), math.ceil(0.75 * side) if crop else side, side + 1)
    starts = [jax.random.randint(k, (num,), 0, side - size + 1) for k in (top_key, left_key)]
    new = jnp.broadcast_to(jnp.arange(resolution), (num, resolution))
    mirrored = jax.random.bernoulli(mirror_key, 0.5 if mirror else 0.0, (num, 1))
    places = [new, jnp.where(mirrored, resolution - 1 - new, new)]
    pixels = images.astype(jnp.float32)
    for axis, start, place in zip((1, 2), starts, places, strict=True):
        unit = 2 * resolution
        centre = unit * start[:, None] + (2 * place + 1) * size[:, None] - resolution
        reach = 2 * jnp.maximum(size, resolution)[:, None]
        first = (centre - reach) // unit + 1
        old = [first + tap for tap in range(math.ceil(2 * max(side / resolution, 1)))]
        weights = [
            jnp.where((i >= 0) & (i < side), jnp.maximum(0, 1 - jnp.abs(centre - unit * i) / reach), 0)
            for i in old
        ]
        total = sum(weights)
        take = jax.vmap(lambda image, i, a=axis: jnp.take(image, i, axis=a - 1, mode="clip"))
        one_axis = (num, *(resolution if a == axis else 1 for a in (1, 2)), 1)
        resized = jnp.zeros(())
        for i, weight in zip(old, weights, strict=True):
            resized = resized + take(pixels, i) * (weight / total).reshape(one_axis)
        pixels = resized
    return (pixels / 255 - jnp.asarray(HALF["mean"])) / jnp.asarray(HALF["std"])


@pytest.mark.parametrize("crop", [True, False])
@pytest.mark.parametrize(("side", "resolution"), [(8, 8), (8, 16), (33, 10)])
def test_augment_without_margins_is_the_same_program_to_the_last_bit(
    side: int, resolution: int, crop: bool
) -> None:
    images, key = random_images(side, num=4), jax.random.key(2)
    drawn = functools.partial(augment, resolution=resolution, mirror=True, crop=crop, **HALF)
    before = functools.partial(without_margins, resolution=resolution, mirror=True, crop=crop)
    new, old = (jax.jit(f).lower(key, images).compile() for f in (drawn, before))
    np.testing.assert_array_equal(new(key, images), old(key, images))
    for figure in ("flops", "bytes accessed"):
        assert new.cost_analysis()[figure] == old.cost_analysis()[figure]


def test_the_same_crops_are_drawn_everywhere() -> None:
    crops = draw_crops(jax.random.key(0), 4, 64, Augmentation(mirror=True))
    assert [field.tolist() for field in crops] == DRAWN


def plain_cut_out(image: np.ndarray, crop: tuple[int, int, int, bool], resolution: int) -> np.ndarray:
    """[S, S] to [R, R], NaN outside: one new pixel after the other, in float64."""
    size, top, left, mirrored = crop
    side, step = len(image), size / resolution

    def weights(start: int, n: int) -> np.ndarray | None:
        centre = start + (2 * n + 1) * size / (2 * resolution)
        if not 0 <= centre < side:
            return None
        triangle = np.maximum(0, 1 - np.abs(np.arange(side) + 0.5 - centre) / max(step, 1))
        return triangle / triangle.sum()

    out = np.full((resolution, resolution), np.nan)
    for y in range(resolution):
        for x in range(resolution):
            rows, columns = weights(top, y), weights(left, resolution - 1 - x if mirrored else x)
            if rows is not None and columns is not None:
                out[y, x] = rows @ image @ columns
    return out


@pytest.mark.parametrize("resolution", [5, 8, 20])
def test_crops_of_all_sizes_are_as_in_numpy(resolution: int) -> None:
    images = random_images(8, num=6)
    crops = [
        (8, 0, 0, False),
        (6, 2, 1, True),
        (8, 3, -2, True),
        (20, -12, -5, False),
        (16, -3, -4, True),
        (3, 4, 5, False),
    ]
    cut = jax.jit(functools.partial(cut_out, resolution=resolution, largest=20, empty=(2.0,)))
    out = np.asarray(cut(images, Crops(*map(jnp.asarray, zip(*crops, strict=True)))))[..., 0]
    for pixels, image, crop in zip(out, images[..., 0], crops, strict=True):
        expected = plain_cut_out(image, crop, resolution)
        np.testing.assert_array_equal(pixels == 510, np.isnan(expected))
        np.testing.assert_allclose(pixels, np.nan_to_num(expected, nan=510), atol=1e-3)


def test_larger_crops_are_drawn_around_the_image_and_smaller_ones_inside() -> None:
    crops = draw_crops(jax.random.key(0), 512, 10, Augmentation(mirror=True, smallest=0.5, largest=2.0))
    size = np.asarray(crops.size)
    assert set(size.tolist()) == set(range(5, 21))
    for start in (np.asarray(crops.top), np.asarray(crops.left)):
        inside = (start >= 0) & (start + size <= 10)
        around = (start <= 0) & (start + size >= 10)
        np.testing.assert_array_equal(inside, size <= 10)
        np.testing.assert_array_equal(around, size >= 10)
        assert set(start[size == 20].tolist()) > {-9, -5, -1}


def test_margins_are_the_mean_whatever_the_colours() -> None:
    images = random_images(8, num=16, channels=3)
    drawn = Augmentation(mirror=True, smallest=2.0, largest=2.0, colour=0.5)
    mean, std = (0.2, 0.4, 0.6), (0.1, 0.2, 0.3)
    out, crops = augment_with_crops(jax.random.key(0), images, drawn, resolution=16, mean=mean, std=std)
    for pixels, top, left, mirrored in zip(np.array(out), crops.top, crops.left, crops.mirrored, strict=True):
        image = (pixels[:, ::-1] if mirrored else pixels)[-top : 8 - top, -left : 8 - left]
        assert np.ptp(image) > 1
        image[:] = 0
        np.testing.assert_allclose(pixels, 0, atol=1e-6)


def coloured(image: np.ndarray, colour: float, *, num: int = 2048, largest: float = 1.0) -> np.ndarray:
    """Draws of 0..255, all of one image, of which only the colours are drawn."""
    drawn = Augmentation(mirror=False, smallest=largest, largest=largest, colour=colour)
    images = np.repeat(image[None], num, axis=0)
    side = image.shape[0]
    return np.asarray(augment_with_crops(jax.random.key(3), images, drawn, resolution=side, **IDENTITY)[0])


def test_colours_are_drawn_about_those_of_the_image() -> None:
    image = np.array([[80, 100], [120, 140]], np.uint8)[..., None]
    out = coloured(image, 0.25)[..., 0]
    np.testing.assert_allclose(out.mean(0), image[..., 0], rtol=0.02)
    brightness = out.mean((1, 2)) / 110
    contrast = (out[:, 1, 1] - out[:, 0, 0]) / 60 / brightness
    for factor in (brightness, contrast):
        np.testing.assert_allclose([factor.min(), factor.max()], [0.75, 1.25], atol=0.01)
    assert abs(np.corrcoef(brightness, contrast)[0, 1]) < 0.1


def test_colours_stay_between_black_and_white() -> None:
    image = np.array([[0, 255], [30, 200]], np.uint8)[..., None]
    out = coloured(image, 1.0)
    assert out.min() == 0
    np.testing.assert_allclose(out.max(), 255, rtol=1e-6)
    assert (out[:, 0, 1] > 254.9).mean() > 0.2  # clipped


def test_contrast_is_about_the_mean_of_the_image_not_of_its_margins() -> None:
    out = coloured(np.full((4, 4, 1), 100, np.uint8), 0.5, largest=2.0)  # brightness alone changes it
    shown = out[out > 0].reshape(len(out), -1)
    np.testing.assert_allclose(shown, shown[:, :1].repeat(shown.shape[1], 1), rtol=1e-5)
    np.testing.assert_allclose([shown.min(), shown.mean(), shown.max()], [50, 100, 150], rtol=0.02)


def test_without_colour_and_margins_it_is_augment() -> None:
    images, key = random_images(12, num=4), jax.random.key(5)
    given, crops = augment_with_crops(key, images, Augmentation(mirror=True), resolution=9, **HALF)
    np.testing.assert_array_equal(given, augment(key, images, resolution=9, mirror=True, crop=True, **HALF))
    with_colour, same = augment_with_crops(
        key, images, Augmentation(mirror=True, colour=0.1), resolution=9, **HALF
    )
    assert not np.allclose(with_colour, given, atol=1e-3)
    for a, b in zip(crops, same, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "values",
    [
        {"smallest": 0.0},
        {"smallest": 1.1},
        {"largest": math.inf},
        {"smallest": math.nan},
        {"colour": -0.1},
        {"colour": 1.1},
        {"colour": math.nan},
    ],
)
def test_what_cannot_be_drawn_is_refused(values: dict[str, float]) -> None:
    (name,) = values
    with pytest.raises(UserError, match=f"{name}="):
        Augmentation(mirror=True, **values)
