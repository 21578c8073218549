"""From uint8 images to the network's input, on the device: resizing, random crops, colour, normalisation.

B images, S their stored side, R the resolution, C channels.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from supernet.errors import UserError

SMALLEST_CROP = 0.75  # of the image's side: an object at the border stays in most crops


class Crops(NamedTuple):
    """A square of each stored image, in whole pixels of it: int32 [B], and bool [B] for mirrored.

    A square may reach beyond the image, and is empty there.
    """

    size: jax.Array
    top: jax.Array
    left: jax.Array
    mirrored: jax.Array


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What is drawn for each training image.

    Attributes:
      mirror: whether it is mirrored left to right, with probability 1/2.
      smallest, largest: side of the square that is cut out, by the image's side. Above 1, the image becomes
        smaller and has empty margins.
      colour: how far brightness and contrast may be from 1, as factors.

    Raises UserError for a value outside its range.
    """

    mirror: bool
    smallest: float = SMALLEST_CROP
    largest: float = 1.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.smallest <= self.largest < math.inf:
            raise UserError(
                f"smallest={self.smallest}, largest={self.largest}: both must be numbers above 0, and "
                "smallest at most largest"
            )
        if not 0 <= self.colour <= 1:
            raise UserError(f"colour={self.colour}: must be between 0 (as it is) and 1")

    def sizes(self, side: int) -> tuple[int, int]:
        """The smallest and the largest crop of an image of `side` pixels, in whole pixels."""
        smallest = math.ceil(self.smallest * side)
        return smallest, max(smallest, math.floor(self.largest * side))


def prepare(images: jax.Array, *, resolution: int, mean: Sequence[float], std: Sequence[float]) -> jax.Array:
    """uint8 [B, S, S, C] to normalised float32 [B, R, R, C].

    Resized bilinearly with antialias where R differs from S; normalised is (pixel / 255 - mean) / std.
    """
    pixels = images.astype(jnp.float32)
    if images.shape[1] != resolution:
        shape = (images.shape[0], resolution, resolution, images.shape[3])
        pixels = jax.image.resize(pixels, shape, "bilinear", antialias=True)
    return _normalise(pixels, mean, std)


def augment(
    key: jax.Array,
    images: jax.Array,
    *,
    resolution: int,
    mean: Sequence[float],
    std: Sequence[float],
    mirror: bool,
    crop: bool,
) -> jax.Array:
    """As `prepare`, but of a random square crop and randomly mirrored: float32 [B, R, R, C].

    With `crop`, a square of SMALLEST_CROP to 1 times the side is taken at a random place, both in whole
    pixels; with `mirror`, each image is mirrored left to right with probability 1/2.
    """
    drawn = Augmentation(mirror, SMALLEST_CROP if crop else 1.0)
    return augment_with_crops(key, images, drawn, resolution=resolution, mean=mean, std=std)[0]


def augment_with_crops(
    key: jax.Array,
    images: jax.Array,
    drawn: Augmentation,
    *,
    resolution: int,
    mean: Sequence[float],
    std: Sequence[float],
) -> tuple[jax.Array, Crops]:
    """As `prepare`, but cut out, mirrored and coloured as `drawn` says; and the crops, which what lies in the
    images has to follow (`augment_targets`).

    Margins are `mean`, which is 0 once normalised, whatever becomes of the image's colours.
    """
    side = images.shape[1]
    crops = draw_crops(key, len(images), side, drawn)
    pixels, shown = _cut_out(images, crops, resolution, drawn.sizes(side)[1])
    if drawn.colour:
        colour_key = jax.random.fold_in(key, 4)  # 0 to 3 are the keys of `draw_crops`
        pixels = _coloured(colour_key, pixels, images, drawn.colour)
    return _normalise(_with_margins(pixels, shown, mean), mean, std), crops


def draw_crops(key: jax.Array, num: int, side: int, drawn: Augmentation) -> Crops:
    """Crops of `num` images of `side` pixels; inside of the image, or around it where they are larger."""
    size_key, top_key, left_key, mirror_key = jax.random.split(key, 4)
    smallest, largest = drawn.sizes(side)
    size = jax.random.randint(size_key, (num,), smallest, largest + 1)
    low: int | jax.Array = 0
    high = side - size
    if largest > side:
        low, high = jnp.minimum(high, 0), jnp.maximum(high, 0)
    top = jax.random.randint(top_key, (num,), low, high + 1)
    left = jax.random.randint(left_key, (num,), low, high + 1)
    return Crops(size, top, left, jax.random.bernoulli(mirror_key, 0.5 if drawn.mirror else 0.0, (num,)))


def cut_out(
    images: jax.Array, crops: Crops, *, resolution: int, largest: int, empty: Sequence[float]
) -> jax.Array:
    """uint8 [B, S, S, C] to pixels 0..255 of the crops, float32 [B, R, R, C].

    No crop may have more than `largest` pixels along a side: where these are more than S, a new pixel with
    its centre outside of the image has the colour `empty`, [C] in 0..1.
    """
    return _with_margins(*_cut_out(images, crops, resolution, largest), empty)


def centres(crops: Crops, resolution: int) -> tuple[jax.Array, jax.Array]:
    """How far the centres of the new pixels are from the image's top and from its left, int32 [B, R] each.

    Counted in 1/(2R) of a stored pixel, in which they are whole numbers: in floating point, XLA may round
    the index and the weight of a pixel on a boundary differently.
    """
    new = jnp.broadcast_to(jnp.arange(resolution), (len(crops.size), resolution))
    new_columns = jnp.where(crops.mirrored[:, None], resolution - 1 - new, new)
    return (
        2 * resolution * crops.top[:, None] + (2 * new + 1) * crops.size[:, None],
        2 * resolution * crops.left[:, None] + (2 * new_columns + 1) * crops.size[:, None],
    )


def on_image(places: jax.Array, side: int) -> jax.Array:
    """Which of the `centres`, [B, R], are on an image of `side` pixels."""
    return (places >= 0) & (places < 2 * places.shape[1] * side)


def _cut_out(
    images: jax.Array, crops: Crops, resolution: int, largest: int
) -> tuple[jax.Array, jax.Array | None]:
    """As `cut_out`, with any number outside of the images; and which pixels are on them, bool [B, R, R, 1],
    or None where all are.

    Crop, resizing and mirroring are one bilinear resampling: 35 us for an image of 64x64x3 and 0.4 ms
    for 224x224x3 on two busy CPU cores. As products with matrices [R, S] it was 90 us and 4 ms.
    """
    side = images.shape[1]
    rows, columns = centres(crops, resolution)
    pixels = images.astype(jnp.float32)
    pixels = _resample(pixels, rows, crops.size, axis=1, largest=largest)
    pixels = _resample(pixels, columns, crops.size, axis=2, largest=largest)
    if largest <= side:
        return pixels, None
    return pixels, (on_image(rows, side)[:, :, None] & on_image(columns, side)[:, None, :])[..., None]


def _resample(pixels: jax.Array, places: jax.Array, size: jax.Array, *, axis: int, largest: int) -> jax.Array:
    """What an axis of S pixels has at `places` [B, R] (`centres`), where `size` [B] pixels become R.

    As `jax.image.resize` does: a triangle about each new pixel's centre, reaching as far as one step
    where that is above one old pixel (antialias), else one old pixel, and normalised at the border.
    """
    side, resolution = pixels.shape[axis], places.shape[1]
    unit = 2 * resolution
    centre = places - resolution  # from the centre of the first old pixel
    reach = 2 * jnp.maximum(size, resolution)[:, None]
    first = (centre - reach) // unit + 1
    old = [first + tap for tap in range(math.ceil(2 * max(largest / resolution, 1)))]
    weights = [
        jnp.where((i >= 0) & (i < side), jnp.maximum(0, 1 - jnp.abs(centre - unit * i) / reach), 0)
        for i in old
    ]
    total = sum(weights)
    if largest > side:
        total = jnp.where(on_image(places, side), total, 1)  # it may be 0 elsewhere
    take = jax.vmap(lambda image, i: jnp.take(image, i, axis=axis - 1, mode="clip"))
    one_axis = (len(pixels), *(resolution if a == axis else 1 for a in (1, 2)), 1)
    resized = jnp.zeros(())
    for i, weight in zip(old, weights, strict=True):
        resized = resized + take(pixels, i) * (weight / total).reshape(one_axis)
    return resized


def _coloured(key: jax.Array, pixels: jax.Array, images: jax.Array, most: float) -> jax.Array:
    """Contrast about the mean of each stored image, then brightness, times 1 - `most` to 1 + `most` each."""
    shape = (2, len(pixels), 1, 1, 1)
    contrast, brightness = jax.random.uniform(key, shape, minval=1 - most, maxval=1 + most)
    middle = jnp.mean(images, (1, 2, 3), keepdims=True)
    return jnp.clip(brightness * (middle + contrast * (pixels - middle)), 0, 255)


def _with_margins(pixels: jax.Array, shown: jax.Array | None, empty: Sequence[float]) -> jax.Array:
    return pixels if shown is None else jnp.where(shown, pixels, 255 * jnp.asarray(empty))


def _normalise(pixels: jax.Array, mean: Sequence[float], std: Sequence[float]) -> jax.Array:
    return (pixels / 255 - jnp.asarray(mean)) / jnp.asarray(std)
