"""Augmentation: the same pixels as plain resizing where nothing is drawn, and bounded where it is."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hytnas_jax.data import augment, prepare

HALF = {"mean": (0.5,), "std": (0.25,)}
IDENTITY = {"mean": (0.0,), "std": (1 / 255,)}  # gives the pixels 0..255 back


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
