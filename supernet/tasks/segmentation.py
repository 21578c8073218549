"""Naming the class of every pixel, by cells that cover many of them.

Letters: B batch, S the pixels along a side of a mask, h w the cells of an output, K classes.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from supernet.errors import UserError
from supernet.tasks.base import Lesson, Targets

TEACHER_SHARE = 0.5
IGNORED = 255  # of a pixel that belongs to no class
MOST_PIXELS = 2**31  # of masks that are evaluated at once: their counts are int32


class DenseClasses(NamedTuple):
    """What a loss compares outputs with.

    Attributes:
      classes: float32 [B, h, w, K], the shares of the classes in a cell, each pixel counted by its class's
        weight; sum 1.
      weight: float32 [B, h, w], the cell's pixels that are not ignored, by their class's weight, divided by
        all its pixels.
    """

    classes: jax.Array
    weight: jax.Array


class LossSums(NamedTuple):
    """Of one image, or of many added up: weighted cross-entropy in nats, and the sum of the weights."""

    nats: jax.Array
    weight: jax.Array


def segmentation(
    num_classes: int, class_weights: tuple[float, ...], *, teacher_share: float = TEACHER_SHARE
) -> Lesson:
    """Outputs are logits [B, h, w, K]; targets {"mask": uint8 [B, S, S]}, 255 where a pixel is ignored.

    The loss is the mean cross-entropy of the pixels, each of which counts by the weight of its class
    (`class_weights_of`) and has the logits of its cell. The first subnet hands the others classes that are
    `teacher_share` of its own probabilities and the rest truth. The same arguments give the same lesson.

    Raises:
      UserError: a value outside its range, or another number of weights than of classes.
    """
    if not 2 <= num_classes <= IGNORED:
        raise UserError(f"num_classes={num_classes}: segmentation takes 2 to {IGNORED} classes")
    if len(class_weights) != num_classes:
        raise UserError(f"class_weights has {len(class_weights)} values for {num_classes} classes")
    if not all(0 < weight < math.inf for weight in class_weights):
        raise UserError(f"class_weights={class_weights}: all must be numbers above 0")
    if not 0 <= teacher_share <= 1:
        raise UserError(f"teacher_share={teacher_share}: must be between 0 and 1")
    return _lesson(tuple(map(float, class_weights)), float(teacher_share))


@functools.cache
def _lesson(class_weights: tuple[float, ...], teacher_share: float) -> Lesson:
    def encode_weighted(targets: Targets, shape: tuple[int, ...]) -> DenseClasses:
        return encode(targets, shape, class_weights)

    def loss(output: jax.Array, dense: DenseClasses) -> jax.Array:
        return mean_loss(jax.tree.map(jnp.sum, image_losses(output, dense)))

    def teach(output: jax.Array, dense: DenseClasses) -> DenseClasses:
        taught = (1 - teacher_share) * dense.classes + teacher_share * jax.nn.softmax(output)
        return dense._replace(classes=taught)

    return Lesson(encode_weighted, loss, teach, _share)


def class_weights_of(counts: Sequence[int] | np.ndarray) -> tuple[float, ...]:
    """1 / ln(1.1 + share of the pixels), scaled to a mean of 1, from the pixels [K] of each class.

    ENet's weights (arXiv 1606.02147, section 5.2), which adds 1.02: with 1.1 a rare class counts at most 8
    times as much as one that is everywhere.

    Raises:
      UserError: there is not one pixel.
    """
    pixels = np.asarray(counts, np.float64)
    if not pixels.sum() > 0:
        raise UserError("class_weights_of(counts): all counts are 0; some pixels must have a class")
    weights = 1 / np.log(1.1 + pixels / pixels.sum())
    return tuple((weights / weights.mean()).tolist())


def encode(targets: Targets, shape: tuple[int, ...], class_weights: tuple[float, ...]) -> DenseClasses:
    """The dense targets for outputs of `shape`, (h, w, K)."""
    pixels = cell_pixels(targets["mask"], shape)
    weighted = pixels * jnp.asarray(class_weights, jnp.float32)
    total = weighted.sum(-1, keepdims=True)
    even = jnp.full_like(weighted, 1 / shape[-1])  # of a cell that does not count
    return DenseClasses(jnp.where(total > 0, weighted / jnp.maximum(total, 1e-12), even), total[..., 0])


def cell_pixels(masks: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """[B, h, w, K]: the share of each class in the pixels of a cell, which sum to 1 minus the ignored.

    Of masks [B, S, S]. Where S is no multiple of h or w, the mask is first resized by repeating the nearest
    pixels.
    """
    height, width, num_classes = shape
    masks = _whole_cells(_whole_cells(masks, height, axis=1), width, axis=2)
    batch, rows, columns = masks.shape
    image, row, column = np.ogrid[:batch, :rows, :columns]
    inside = rows // height, columns // width  # pixels of a cell
    place = image, row // inside[0], column // inside[1], masks.astype(jnp.int32)
    counts = jnp.zeros((batch, height, width, num_classes)).at[place].add(1, mode="drop")  # 255 has no place
    return counts / (inside[0] * inside[1])


def image_losses(output: jax.Array, dense: DenseClasses) -> LossSums:
    """Of outputs [B, h, w, K]; each [B]."""
    nats = dense.weight * optax.softmax_cross_entropy(output, dense.classes)
    return LossSums(nats.sum((1, 2)), dense.weight.sum((1, 2)))


def mean_loss(sums: LossSums) -> jax.Array:
    """The weighted mean; 0 where every pixel is ignored. NumPy stays NumPy."""
    return sums.nats / (sums.weight + (sums.weight == 0))


def _whole_cells(masks: jax.Array, cells: int, axis: int) -> jax.Array:
    """Masks with a multiple of `cells` pixels along an axis, at least as many as before."""
    pixels = masks.shape[axis]
    wanted = -(-pixels // cells) * cells
    if wanted == pixels:
        return masks
    nearest = (np.arange(wanted) + 0.5) * pixels / wanted
    return jnp.take(masks, nearest.astype(np.int32), axis)


def _share(output: jax.Array, targets: Targets) -> jax.Array:
    """The share of the pixels whose cell names their class."""
    pixels = cell_pixels(targets["mask"], output.shape[1:])
    right = jnp.take_along_axis(pixels, jnp.argmax(output, -1)[..., None], -1)
    return right.sum() / jnp.maximum(pixels.sum(), 1e-6)
