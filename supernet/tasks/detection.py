"""Finding objects: a heat map of their centres for each class, and a box for every cell near a centre.

The targets are static Gaussians (TTFNet, arXiv 1909.00700, section 4): they do not depend on what a network
finds, so that all subnets of a step learn the same. Letters: B batch, M boxes of an image at most, h w the
cells of an output, K classes. A box is left, top, right, bottom in 0..1 of the image's sides.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from supernet.errors import UserError
from supernet.tasks.base import Lesson, Targets
from supernet.tasks.box_geometry import area, cell_boxes, giou, iou

TEACHER_SHARE = 0.5
BOX_WEIGHT = 5.0
CORE = 0.54  # the side of a Gaussian's core by that of its box (arXiv 1909.00700, section 4.3)
PIXELS = 64  # of a cell at stride 8: a box counts by the logarithm of its pixels
RIGHT_IOU = 0.5  # from here on a box is right, for the progress bar


class DenseBoxes(NamedTuple):
    """What a loss compares outputs with.

    Attributes:
      heat: float32 [B, h, w, K] in 0..1, what the heat map is to be.
      centre: bool [B, h, w, K], where an object of the class has its centre.
      counted: bool [B, h, w, K], False inside ignored boxes of the class: finding an object is no mistake.
      boxes: float32 [B, h, w, 4], that of the smallest object whose core the cell is in.
      weight: float32 [B, h, w], how much this box counts; 0 outside all cores.
    """

    heat: jax.Array
    centre: jax.Array
    counted: jax.Array
    boxes: jax.Array
    weight: jax.Array


class LossSums(NamedTuple):
    """Of one image, or of many added up: the heat map's loss in nats and its number of centres; the boxes'
    weighted 1 - GIoU and the sum of the weights."""

    heat: jax.Array
    centres: jax.Array
    box: jax.Array
    weight: jax.Array


def detection(
    num_classes: int, *, teacher_share: float = TEACHER_SHARE, box_weight: float = BOX_WEIGHT
) -> Lesson:
    """Outputs are raw [B, h, w, K + 4]: K logits, then left, top, right, bottom (`cell_boxes`).

    Targets are {"boxes": float32 [B, M, 4], "classes": int32 [B, M], -1 where there is none, "ignored": bool
    [B, M] (a crowd, a difficult object)}. The first subnet hands the others a heat map of `teacher_share` of
    its own probabilities and the rest truth; boxes and centres stay the truth. The same arguments give the
    same lesson.

    Raises:
      UserError: a value outside its range.
    """
    if num_classes < 1:
        raise UserError(f"num_classes={num_classes}: detection needs at least 1 class")
    if not 0 <= teacher_share <= 1:
        raise UserError(f"teacher_share={teacher_share}: must be between 0 and 1")
    if not 0 < box_weight < float("inf"):
        raise UserError(f"box_weight={box_weight}: must be a number above 0")
    return _lesson(num_classes, float(teacher_share), float(box_weight))


@functools.cache
def _lesson(num_classes: int, teacher_share: float, box_weight: float) -> Lesson:
    def loss(output: jax.Array, dense: DenseBoxes) -> jax.Array:
        sums = jax.tree.map(jnp.sum, image_losses(output, dense))
        return mean_loss(sums, box_weight)

    def teach(output: jax.Array, dense: DenseBoxes) -> DenseBoxes:
        heat = (1 - teacher_share) * dense.heat + teacher_share * jax.nn.sigmoid(output[..., :num_classes])
        return dense._replace(heat=heat)

    return Lesson(encode, loss, teach, _share)


def encode(targets: Targets, shape: tuple[int, ...]) -> DenseBoxes:
    """The dense targets for outputs of `shape`, (h, w, K + 4)."""
    height, width, channels = shape
    encode_image = functools.partial(_encode_image, shape=(height, width, channels - 4))
    return jax.vmap(encode_image)(targets["boxes"], targets["classes"], targets["ignored"])


def image_losses(output: jax.Array, dense: DenseBoxes) -> LossSums:
    """Of outputs [B, h, w, K + 4]; each [B].

    The focal loss of the heat map is CornerNet's (arXiv 1808.01244, equation 1): away from the centres,
    (1 - heat)^4 spares what is near one. At a centre the loss counts by the heat, which is 1 in the truth
    and smaller where a teacher did not see the object.
    """
    logits, raw = output[..., :-4], output[..., -4:]
    found = jax.nn.sigmoid(logits)
    positive = dense.heat * (1 - found) ** 2 * -jax.nn.log_sigmoid(logits)
    negative = (1 - dense.heat) ** 4 * found**2 * -jax.nn.log_sigmoid(-logits)
    heat = jnp.where(dense.centre, positive, jnp.where(dense.counted, negative, 0))
    box = dense.weight * (1 - giou(cell_boxes(raw), dense.boxes))
    return LossSums(
        heat.sum((1, 2, 3)), dense.centre.sum((1, 2, 3)), box.sum((1, 2)), dense.weight.sum((1, 2))
    )


def mean_loss(sums: LossSums, box_weight: float = BOX_WEIGHT) -> jax.Array:
    """The heat map's loss for each centre, and `box_weight` times the boxes' mean 1 - GIoU.

    Without any object the heat map's sum counts as it is. NumPy stays NumPy.
    """
    boxes = sums.box / (sums.weight + (sums.weight == 0))
    return sums.heat / (sums.centres + (sums.centres == 0)) + box_weight * boxes


def _encode_image(
    boxes: jax.Array, classes: jax.Array, ignored: jax.Array, shape: tuple[int, int, int]
) -> DenseBoxes:
    """Of boxes [M, 4], classes [M] and ignored [M]; `shape` is (h, w, K)."""
    height, width, num_classes = shape
    real = (classes >= 0) & ~ignored
    x = _bump(boxes[:, 0], boxes[:, 2], width) * real[:, None]
    y = _bump(boxes[:, 1], boxes[:, 3], height)
    spots = y[:, :, None] * x[:, None, :]  # [M, h, w]; 0 outside the core
    heat = _largest_of_class(spots, classes, num_classes)

    size = area(boxes)
    owner = jnp.argmin(jnp.where(spots > 0, size[:, None, None], jnp.inf), 0)  # [h, w]; 0 where none is
    at_owner = jnp.take_along_axis(spots, owner[None], 0)[0]
    share = jnp.maximum(jnp.log(size * (height * width * PIXELS) + 1e-6), 1)
    share /= jnp.maximum(x.sum(1) * y.sum(1), 1)  # at least 1 for a real box: its centre
    return DenseBoxes(
        heat=heat,
        centre=heat == 1,
        counted=_largest_of_class(_inside(boxes, height, width, ignored), classes, num_classes) == 0,
        boxes=boxes[owner],
        weight=at_owner * share[owner],
    )


def _largest_of_class(maps: jax.Array, classes: jax.Array, num_classes: int) -> jax.Array:
    """[h, w, K] of maps [M, h, w] that are not negative: the largest of each class, 0 where there is none."""
    height, width = maps.shape[1:]
    rows = maps.reshape(len(maps), -1)
    empty = jnp.zeros((num_classes, height * width), maps.dtype)
    index = jnp.where(classes < 0, num_classes, classes)  # dropped
    return empty.at[index].max(rows, mode="drop").reshape(num_classes, height, width).transpose(1, 2, 0)


def _centre(low: jax.Array, high: jax.Array, cells: int) -> jax.Array:
    """Index of the cell that the middle of each interval lies in, int32 [M]."""
    return jnp.clip(jnp.floor((low + high) / 2 * cells), 0, cells - 1).astype(jnp.int32)


def _bump(low: jax.Array, high: jax.Array, cells: int) -> jax.Array:
    """The Gaussian of each interval along one side, [M, cells]: 1 at its centre, 0 outside its core."""
    radius = jnp.floor(CORE / 2 * (high - low) * cells)[:, None]
    offset = jnp.arange(cells) - _centre(low, high, cells)[:, None]
    deviation = (2 * radius + 1) / 6
    value = jnp.where(offset == 0, 1, jnp.exp(-((offset / deviation) ** 2) / 2))  # 1 to the last bit
    return jnp.where(jnp.abs(offset) <= radius, value, 0)


def _inside(boxes: jax.Array, height: int, width: int, wanted: jax.Array) -> jax.Array:
    """1 in the cells of the wanted boxes: those with their centre in the box, and that of its centre."""

    def along(low: jax.Array, high: jax.Array, cells: int) -> jax.Array:
        middle = (jnp.arange(cells) + 0.5) / cells
        inside = (low[:, None] <= middle) & (middle <= high[:, None])
        return inside | (jnp.arange(cells) == _centre(low, high, cells)[:, None])

    x = along(boxes[:, 0], boxes[:, 2], width) & wanted[:, None]
    y = along(boxes[:, 1], boxes[:, 3], height)
    return (y[:, :, None] & x[:, None, :]).astype(jnp.float32)


def _share(output: jax.Array, targets: Targets) -> jax.Array:
    """The share of the objects that are right: the cell of the centre names the class, its box is good."""
    boxes, classes = targets["boxes"], targets["classes"]
    height, width = output.shape[1:3]
    y = _centre(boxes[..., 1], boxes[..., 3], height)
    x = _centre(boxes[..., 0], boxes[..., 2], width)
    image = jnp.arange(len(output))[:, None]
    named = jnp.argmax(output[image, y, x, :-4], -1) == classes
    good = iou(cell_boxes(output[..., -4:])[image, y, x], boxes) >= RIGHT_IOU
    real = (classes >= 0) & ~targets["ignored"]
    return jnp.sum(named & good & real) / jnp.maximum(jnp.sum(real), 1)
