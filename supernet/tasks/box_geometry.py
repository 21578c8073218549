"""What a detector's raw distances say, and how well boxes agree.

Letters: h w the cells of an output. A box is left, top, right, bottom in 0..1 of the image's sides.
"""

import jax
import jax.numpy as jnp

# The logarithm of a distance in cells: 0.0067 to 148 cells. Raw outputs beyond are clipped.
RAW_RANGE = (-5.0, 5.0)
TINY = 1e-12  # an area; keeps a quotient of two empty boxes finite


def cell_boxes(raw: jax.Array) -> jax.Array:
    """The box of every cell [..., h, w, 4] from raw left, top, right, bottom [..., h, w, 4].

    A distance is exp(raw) cells, from the centre of the cell (its index + 0.5). Boxes may leave the image.
    """
    height, width = raw.shape[-3:-1]
    distance = jnp.exp(jnp.clip(raw, *RAW_RANGE))
    x, y = jnp.arange(width) + 0.5, (jnp.arange(height) + 0.5)[:, None]
    left, top, right, bottom = jnp.moveaxis(distance, -1, 0)
    return jnp.stack([(x - left) / width, (y - top) / height, (x + right) / width, (y + bottom) / height], -1)


def area(boxes: jax.Array) -> jax.Array:
    """[...] of boxes [..., 4]: 0 where a box is empty or turned inside out."""
    sides = jnp.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def intersection(a: jax.Array, b: jax.Array) -> jax.Array:
    """The area [...] that boxes [..., 4] share."""
    low, high = jnp.maximum(a[..., :2], b[..., :2]), jnp.minimum(a[..., 2:], b[..., 2:])
    return area(jnp.concatenate([low, high], -1))


def iou(a: jax.Array, b: jax.Array) -> jax.Array:
    """Intersection over union [...] of boxes [..., 4]."""
    shared = intersection(a, b)
    return shared / jnp.maximum(area(a) + area(b) - shared, TINY)


def giou(a: jax.Array, b: jax.Array) -> jax.Array:
    """Generalised intersection over union in -1..1, [...] of boxes [..., 4] (arXiv 1902.09630, algorithm 1).

    Like the IoU it does not change where an image is stretched.
    """
    shared = intersection(a, b)
    union = area(a) + area(b) - shared
    low, high = jnp.minimum(a[..., :2], b[..., :2]), jnp.maximum(a[..., 2:], b[..., 2:])
    hull = jnp.maximum(area(jnp.concatenate([low, high], -1)), TINY)
    return shared / jnp.maximum(union, TINY) - (hull - union) / hull
