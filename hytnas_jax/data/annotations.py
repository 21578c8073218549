"""Boxes and masks of many images as arrays, which training cuts batches from.

N images, M boxes of an image at most, S the side at which images are held.
"""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np

from hytnas_jax.data.digest import digest_images
from hytnas_jax.data.mask_size import nearest_pixels
from hytnas_jax.data.readers.boxes import Boxes, BoxSource
from hytnas_jax.data.readers.masks import MaskSource
from hytnas_jax.data.readers.source import Source, Split
from hytnas_jax.data.splits import Selection
from hytnas_jax.data.streamed import Streamed
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import MOST_PIXELS

# {"boxes": float32 [N, M, 4], "classes": int32 [N, M], -1 where there is none, "ignored": bool [N, M]}, or
# {"mask": uint8 [N, S, S]}, 255 where a pixel has no class; masks may be streamed.
Annotations = Mapping[str, Any]


def read_annotations(
    source: Source, selections: Mapping[Split, Selection], *, side: int
) -> dict[Split, Annotations | None]:
    """What a source says of the images of each split; None for classification, where labels say it all.

    Raises UserError for a mask that cannot be read, and a split without any box or any pixel of a class.
    """
    if source.task == "detection":
        return dict(_boxes(cast(BoxSource, source), selections))
    if source.task == "segmentation":
        return {
            split: _masks(cast(MaskSource, source), split, chosen, side=side)
            for split, chosen in selections.items()
        }
    return dict.fromkeys(selections)


def digest_annotations(annotations: Annotations) -> np.ndarray:
    """uint64 [N], equal where boxes in their order, or masks, are."""
    if "mask" in annotations:
        masks = annotations["mask"]
        digests: np.ndarray = masks.digests if isinstance(masks, Streamed) else digest_images(masks)
        return digests
    arrays = [annotations[name] for name in ("boxes", "classes", "ignored")]
    real = annotations["classes"] >= 0
    rows = [b"".join(array[row, own].tobytes() for array in arrays) for row, own in enumerate(real)]
    return np.frombuffer(b"".join(hashlib.blake2b(row, digest_size=8).digest() for row in rows), "<u8")


def class_pixels(masks: np.ndarray, num_classes: int) -> np.ndarray:
    """int64 [K]: the pixels of each class in uint8 masks; those of no class are not counted."""
    return np.bincount(masks.ravel(), minlength=256)[:num_classes]


def check_pixels(pixels: np.ndarray, source: Source, split: Split, num_images: int) -> None:
    """Raises UserError where no pixel of a split has a class; `pixels` as of `class_pixels`."""
    if not pixels.any():
        raise UserError(
            f"{source.name}: not one of {counted(num_images, f'{split} image')} has a pixel of "
            f"{' or '.join(source.class_names)}; choose other classes, add images with them, or use more "
            "images (--max-images)"
        )


def refuse_many_pixels(num_masks: int, side: int) -> None:
    """Raises UserError where the masks to evaluate by have more pixels than their counts can hold."""
    pixels = num_masks * side**2
    if pixels >= MOST_PIXELS:
        raise UserError(
            f"{counted(num_masks, 'mask')} of the validation split have {pixels:.3g} pixels, more than 2^31; "
            f"give --max-validation {(MOST_PIXELS - 1) // side**2}, or smaller --resolutions"
        )


def _boxes(source: BoxSource, selections: Mapping[Split, Selection]) -> dict[Split, Annotations]:
    found = {
        split: [source.boxes(chosen.stored, int(position)) for position in chosen.positions]
        for split, chosen in selections.items()
    }
    for split, each in found.items():
        if all(boxes.ignored.all() for boxes in each):
            raise UserError(
                f"{source.name}: not one of {counted(len(each), f'{split} image')} has a box; add some, or "
                "use more images (--max-images)"
            )
    most = max(len(boxes) for each in found.values() for boxes in each)
    return {split: _padded(each, most) for split, each in found.items()}


def _padded(each: list[Boxes], most: int) -> Annotations:
    shape = (len(each), most)
    arrays = {
        "boxes": np.zeros((*shape, 4), np.float32),
        "classes": np.full(shape, -1, np.int32),
        "ignored": np.zeros(shape, bool),
    }
    for row, boxes in enumerate(each):
        for name, values in zip(arrays, (boxes.corners, boxes.classes, boxes.ignored), strict=True):
            arrays[name][row, : len(boxes)] = values
    return arrays


def _masks(source: MaskSource, split: Split, selection: Selection, *, side: int) -> Annotations:
    masks = np.empty((len(selection), side, side), np.uint8)

    def read(row: int) -> None:
        masks[row] = nearest_pixels(source.mask(selection.stored, int(selection.positions[row])), side)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(read, range(len(selection))))
    check_pixels(class_pixels(masks, len(source.class_names)), source, split, len(selection))
    return {"mask": masks}
