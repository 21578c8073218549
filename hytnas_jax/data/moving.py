"""What lies in an image follows its crop: boxes and masks, on the device.

B images, S their stored side, M boxes of an image at most, R the resolution.
"""

import jax
import jax.numpy as jnp

from hytnas_jax.data.augment import Crops, centre_pixels
from hytnas_jax.data.readers.class_table import IGNORED

KEPT = 0.3  # of a box's area: with less left in the crop, it is no example of its class


def move_boxes(targets: dict[str, jax.Array], crops: Crops, side: int) -> dict[str, jax.Array]:
    """Boxes in 0..1 of the crops, from boxes in 0..1 of stored images of `side` pixels.

    Of {"boxes": float32 [B, M, 4], "classes": int32 [B, M], "ignored": bool [B, M]}. What is cut off is
    clipped. A box of which less than KEPT is left is ignored: it is too little to find, and no mistake to
    find. One of which nothing is left has class -1.
    """
    boxes, size = targets["boxes"] * side, crops.size[:, None, None]
    x = (boxes[..., 0::2] - crops.left[:, None, None]) / size
    y = (boxes[..., 1::2] - crops.top[:, None, None]) / size
    x = jnp.where(crops.mirrored[..., None], 1 - x[..., ::-1], x)
    whole = _area(x, y)
    x, y = jnp.clip(x, 0, 1), jnp.clip(y, 0, 1)
    left = _area(x, y)
    return {
        "boxes": jnp.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1),
        "classes": jnp.where(left > 0, targets["classes"], -1),
        "ignored": targets["ignored"] | (left < KEPT * whole),
    }


def move_masks(targets: dict[str, jax.Array], crops: Crops, resolution: int) -> dict[str, jax.Array]:
    """{"mask": uint8 [B, R, R]} of the crops, from {"mask": uint8 [B, S, S]}.

    Each new pixel has the class of the stored pixel that its centre lies in; outside of the image it has
    none.
    """
    masks = targets["mask"]
    side = masks.shape[1]
    new = jnp.broadcast_to(jnp.arange(resolution), (len(masks), resolution))
    rows = centre_pixels(new, crops.top, crops.size)[:, :, None]
    columns = jnp.where(crops.mirrored, resolution - 1 - new, new)
    columns = centre_pixels(columns, crops.left, crops.size)[:, None, :]
    inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    image = jnp.arange(len(masks))[:, None, None]
    moved = masks[image, jnp.clip(rows, 0, side - 1), jnp.clip(columns, 0, side - 1)]
    return {"mask": jnp.where(inside, moved, IGNORED).astype(masks.dtype)}


def _area(x: jax.Array, y: jax.Array) -> jax.Array:
    """[B, M] of the two ends of each box in either direction, [B, M, 2]."""
    return (x[..., 1] - x[..., 0]) * (y[..., 1] - y[..., 0])
