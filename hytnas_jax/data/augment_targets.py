"""Boxes and masks follow the crops of their images, on the device.

B images, S their stored side, R the resolution, M boxes of an image at most.
"""

import jax.numpy as jnp

from hytnas_jax.data.augment import Crops, centres, on_image
from supernet.tasks.base import Targets
from supernet.tasks.box_geometry import area
from supernet.tasks.segmentation import IGNORED

KEPT = 0.3  # of a box's area: with less of it in the crop, the box is ignored
THINNEST = 0.001  # of a stored pixel: what is thinner cannot be seen, and may be there by rounding


def move_boxes(targets: Targets, crops: Crops, side: int) -> Targets:
    """The boxes in the crops of stored images of `side` pixels, with the part outside of a crop cut off.

    Targets are {"boxes": float32 [B, M, 4], left, top, right, bottom in 0..1 of the image's sides, "classes":
    int32 [B, M], -1 where there is none, "ignored": bool [B, M]}.

    A box of which nothing is left is none, all 0. One of which less than KEPT of the area is left becomes
    ignored: what is left may be too little to tell what it is, so that it is not asked for, but to find it is
    no mistake.
    """
    start = jnp.stack([crops.left, crops.top] * 2, -1)[:, None]
    whole = (targets["boxes"] * side - start) / crops.size[:, None, None]
    left, top, right, bottom = jnp.moveaxis(whole, -1, 0)
    mirrored = jnp.stack([1 - right, top, 1 - left, bottom], -1)
    whole = jnp.where(crops.mirrored[:, None, None], mirrored, whole)
    boxes = jnp.clip(whole, 0, 1)
    thinnest = THINNEST / crops.size[:, None, None]
    seen = jnp.all(boxes[..., 2:] - boxes[..., :2] >= thinnest, -1) & (targets["classes"] >= 0)
    cut = area(boxes) < KEPT * area(whole)
    return {
        "boxes": jnp.where(seen[..., None], boxes, 0),
        "classes": jnp.where(seen, targets["classes"], -1),
        "ignored": seen & (targets["ignored"] | cut),
    }


def move_masks(targets: Targets, crops: Crops, resolution: int) -> Targets:
    """The masks of the crops: {"mask": uint8 [B, S, S]} to uint8 [B, R, R], 255 outside of the image.

    A new pixel has the class of the stored pixel that its centre lies in.
    """
    masks = targets["mask"]
    side = masks.shape[1]
    places = centres(crops, resolution)
    row, column = (jnp.clip(place // (2 * resolution), 0, side - 1) for place in places)
    rows_shown, columns_shown = (on_image(place, side) for place in places)
    image = jnp.arange(len(masks))[:, None, None]
    pixels = masks[image, row[:, :, None], column[:, None, :]]
    shown = rows_shown[:, :, None] & columns_shown[:, None, :]
    return {"mask": jnp.where(shown, pixels, jnp.uint8(IGNORED))}
