"""The augmentations that `few_images` compares, each in one compiled program.

Every kind begins with what training does anyway: a random crop, and mirroring where that harms no class.

Letters: B batch, S the images' stored side, R resolution, C channels, K classes.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax

from hytnas_jax.data import augment

KINDS = ("plain", "one change", "erasing", "mixup", "cutmix")
SMOOTHING = 0.1
CHANGES = ("turn", "shear x", "shear y", "shift x", "shift y", "brightness", "contrast", "saturation")


@functools.partial(jax.jit, static_argnames=("kind", "resolution", "mirror", "classes"))
def augmented(
    key: jax.Array,
    images: Any,
    labels: Any,
    mean: Any,
    std: Any,
    *,
    kind: str,
    resolution: int,
    mirror: bool,
    classes: int,
) -> tuple[jax.Array, jax.Array]:
    """uint8 [B, S, S, C] and int [B] to normalised float32 [B, R, R, C] and smoothed labels [B, K]."""
    crop_key, key = jax.random.split(key)
    inputs = augment(crop_key, images, resolution=resolution, mean=mean, std=std, mirror=mirror, crop=True)
    target = optax.smooth_labels(jax.nn.one_hot(labels, classes), SMOOTHING)
    if kind == "one change":
        inputs = (one_change(key, inputs * std + mean) - mean) / std
    elif kind == "erasing":
        inputs = erased(key, inputs)
    elif kind == "mixup":
        return mixed(key, inputs, target)
    elif kind == "cutmix":
        return cut_and_mixed(key, inputs, target)
    return inputs, target


def one_change(key: jax.Array, pixels: jax.Array) -> jax.Array:
    """Each image [B, R, R, C] of 0..1 changed in one way, as much as is drawn.

    As TrivialAugment does (arXiv 2103.10158): turned up to 30 degrees, sheared up to 0.3, shifted up to a
    quarter of the side, or brightness, contrast or saturation times 0.1 to 1.9.
    """
    which_key, much_key = jax.random.split(key)
    which = jax.random.randint(which_key, (len(pixels),), 0, len(CHANGES))
    much = jax.random.uniform(much_key, (len(pixels),), minval=-1.0, maxval=1.0)
    turn, shear_x, shear_y, shift_x, shift_y, *colours = (
        jnp.where(which == n, much, 0.0) for n in range(len(CHANGES))
    )
    moved = jax.vmap(_moved)(
        pixels,
        jnp.pi / 6 * turn,
        jnp.stack([0.3 * shear_x, 0.3 * shear_y], 1),
        jnp.stack([shift_x, shift_y], 1) / 4,
    )
    brightness, contrast, saturation = (1 + 0.9 * c[:, None, None, None] for c in colours)
    pixels = moved * brightness
    middle = jnp.mean(pixels, (1, 2, 3), keepdims=True)
    pixels = middle + contrast * (pixels - middle)
    grey = jnp.mean(pixels, 3, keepdims=True)
    return jnp.clip(grey + saturation * (pixels - grey), 0.0, 1.0)


def _moved(image: jax.Array, turn: jax.Array, shear: jax.Array, shift: jax.Array) -> jax.Array:
    """An image [R, R, C] turned by an angle, sheared, and shifted [2] by parts of its side."""
    side = image.shape[0]
    middle = (side - 1) / 2
    rows, columns = jnp.meshgrid(*[jnp.arange(side) - middle] * 2, indexing="ij")
    x, y = columns + shear[0] * rows, rows + shear[1] * columns
    x, y = jnp.cos(turn) * x - jnp.sin(turn) * y, jnp.sin(turn) * x + jnp.cos(turn) * y
    places = [y + middle + side * shift[1], x + middle + side * shift[0]]
    take = functools.partial(jax.scipy.ndimage.map_coordinates, coordinates=places, order=1, mode="nearest")
    return jax.vmap(take, in_axes=2, out_axes=2)(image)


def erased(key: jax.Array, inputs: jax.Array) -> jax.Array:
    """With probability 1/2 a rectangle of 0.02 to 0.33 of the area is noise (arXiv 1708.04896)."""
    keys = jax.random.split(key, 5)
    num, side = inputs.shape[:2]
    area = jax.random.uniform(keys[0], (num,), minval=0.02, maxval=0.33)
    ratio = jnp.exp(jax.random.uniform(keys[1], (num,), minval=-1.0, maxval=1.0) * jnp.log(3.3))
    height, width = (side * jnp.sqrt(area * r) for r in (ratio, 1 / ratio))
    inside = _rectangles(keys[2], side, height, width)
    taken = inside & jax.random.bernoulli(keys[3], 0.5, (num, 1, 1, 1))
    return jnp.where(taken, jax.random.normal(keys[4], inputs.shape), inputs)


def mixed(key: jax.Array, inputs: jax.Array, target: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A batch and itself in another order, in one proportion from Beta(0.2, 0.2) (mixup, arXiv
    1710.09412)."""
    part_key, order_key = jax.random.split(key)
    part = jax.random.beta(part_key, 0.2, 0.2)
    order = jax.random.permutation(order_key, len(inputs))
    return part * inputs + (1 - part) * inputs[order], part * target + (1 - part) * target[order]


def cut_and_mixed(key: jax.Array, inputs: jax.Array, target: jax.Array) -> tuple[jax.Array, jax.Array]:
    """With probability 1/2 a square, of uniform area, is another image's (CutMix, arXiv 1905.04899)."""
    keys = jax.random.split(key, 4)
    side = inputs.shape[1]
    length = side * jnp.sqrt(jax.random.uniform(keys[0], (1,)))
    length = jnp.where(jax.random.bernoulli(keys[1]), length, 0.0)
    inside = _rectangles(keys[2], side, length, length)
    order = jax.random.permutation(keys[3], len(inputs))
    part = jnp.mean(inside)
    return jnp.where(inside, inputs[order], inputs), (1 - part) * target + part * target[order]


def _rectangles(key: jax.Array, side: int, height: jax.Array, width: jax.Array) -> jax.Array:
    """Pixels within rectangles of sizes [N] about random middles: bool [N, side, side, 1]."""
    middle = jax.random.uniform(key, (2, len(height), 1), maxval=side)
    pixels = jnp.arange(side) + 0.5
    rows, columns = (
        jnp.abs(pixels - m) < size[:, None] / 2 for m, size in zip(middle, (height, width), strict=True)
    )
    return (rows[:, :, None] & columns[:, None, :])[..., None]
