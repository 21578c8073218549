"""The best boxes of a detector's outputs. `hytnas_jax/on_device/decode_boxes.py` does the same in NumPy.

Letters: h w the cells of an output, K classes, C candidates, D boxes at most.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from supernet.tasks.box_geometry import cell_boxes, iou

MOST_CANDIDATES = 256
MOST_BOXES = 100
SAME_OBJECT_IOU = 0.6  # above it, the lower of two boxes of a class is dropped


class FoundBoxes(NamedTuple):
    """The best first.

    boxes: float32 [..., D, 4], left, top, right, bottom in 0..1. scores: float32 [..., D] in 0..1.
    classes: int32 [..., D], -1 where there is none; its score is 0.
    """

    boxes: jax.Array
    scores: jax.Array
    classes: jax.Array


def find_boxes(outputs: jax.Array) -> FoundBoxes:
    """Of raw outputs [B, h, w, K + 4]: [B, D, ...] after greedy non-maximum suppression, class by class.

    The candidates are the cells and classes with the largest logits; of equal ones, the first.
    """
    return jax.vmap(_of_image)(outputs)


def _of_image(output: jax.Array) -> FoundBoxes:
    """Of [h, w, K + 4]."""
    num_classes = output.shape[-1] - 4
    logits = output[..., :num_classes].reshape(-1)
    logits = jnp.where(logits == 0, 0, logits)  # -0.0 would be sorted below 0.0
    logits, index = jax.lax.top_k(logits, min(MOST_CANDIDATES, logits.size))
    cell, classes = jnp.divmod(index, num_classes)
    boxes = jnp.clip(cell_boxes(output[..., num_classes:]).reshape(-1, 4)[cell], 0, 1)
    same = classes[:, None] == classes[None, :]
    drops = same & (iou(boxes[:, None], boxes[None, :]) > SAME_OBJECT_IOU)
    kept = _suppress(drops)
    best = jnp.argsort(~kept, stable=True)[:MOST_BOXES]
    kept = kept[best]
    return FoundBoxes(
        boxes[best],
        jnp.where(kept, jax.nn.sigmoid(logits[best]), 0),
        jnp.where(kept, classes[best], -1).astype(jnp.int32),
    )


def _suppress(drops: jax.Array) -> jax.Array:
    """Which candidates are kept, bool [C]; one that is kept drops the later ones of its row in `drops`."""
    count = len(drops)
    later = jnp.arange(count) > jnp.arange(count)[:, None]
    drops &= later

    def visit(index: jax.Array, kept: jax.Array) -> jax.Array:
        return kept & ~(drops[index] & kept[index])

    return jax.lax.fori_loop(0, count, visit, jnp.ones(count, bool))
