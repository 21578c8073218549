"""Naming the class of every pixel. Letters: N images, S side of a mask, h w cells of an output, K classes."""

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from hytnas_jax.data import Augmentation, Crops, LabelledImages, move_masks
from hytnas_jax.data.annotations import class_pixels
from hytnas_jax.on_device.decode_mask import decode_mask
from hytnas_jax.on_device.drawing import draw_mask
from hytnas_jax.quality.mean_iou import confusions, mean_iou, miou_by_image, pixel_counts
from hytnas_jax.tasks.base import Examined, Parts, VisionTask, enlarged, known, number_or_none
from hytnas_jax.tasks.measure import Measure
from hytnas_jax.tasks.pace import MAPS
from proxies.evaluation import segmentation as scoring
from supernet.tasks import segmentation as lesson
from supernet.tasks.base import Targets

AUGMENTATION = Augmentation(mirror=True, smallest=0.5, largest=1.0, colour=0.2)


@functools.cache
def segmentation(class_weights: tuple[float, ...]) -> VisionTask:
    """The error is 1 - mIoU, the mean over the classes that occur. `class_weights`: one for each class."""
    num_classes = len(class_weights)
    return VisionTask(
        name="segmentation",
        quality="mIoU",
        measure=Measure("mIoU", beside=("pixel_accuracy", "pixel accuracy")),
        lesson=lesson.segmentation(num_classes, class_weights),
        scoring=scoring.segmentation(num_classes, class_weights),
        augmentation=AUGMENTATION,
        move=_move,
        pace=MAPS,
        chance_loss=math.log(num_classes),
        guess=functools.partial(_guess, num_classes),
        class_logits=lambda logits: logits,
        file_quality=lambda outputs, targets: 1 - _examine(num_classes, [(outputs, targets)]).error,
        file_quality_name="mIoU",
        examine=functools.partial(_examine, num_classes),
        draw=_draw,
        decode=lambda output, side: decode_mask(output, (side, side)),
    )


def _move(targets: Targets, crops: Crops, side: int, resolution: int) -> Targets:
    return move_masks(targets, crops, resolution)


def _guess(num_classes: int, images: LabelledImages) -> float:
    """The mIoU of the most frequent class everywhere."""
    pixels = class_pixels(images.targets["mask"], num_classes)
    return float(pixels.max() / pixels.sum() / np.count_nonzero(pixels))


def _examine(num_classes: int, parts: Parts) -> Examined:
    """Of logits [N, h, w, K], enlarged to the masks [N, S, S]."""
    each = [
        pixel_counts(_named(output, len(mask)), mask, num_classes)
        for outputs, targets in parts
        for output, mask in zip(outputs, targets["mask"], strict=True)
    ]
    counts = np.stack(each)
    told, pixels = mean_iou(counts), counts.sum((0, 2))
    details = {
        "pixel_accuracy": number_or_none(told.accuracy),
        "IoU_by_class": known(told.by_class),
        "share_of_pixels_by_class": known(pixels / max(pixels.sum(), 1)),
        "confusions": confusions(counts),
    }
    return Examined(1 - told.miou, told.deviation, details, miou_by_image(counts))


def _draw(
    image: np.ndarray, output: np.ndarray | None, targets: Targets, class_names: Sequence[str]
) -> Image.Image:
    shown = enlarged(image)
    mask = targets["mask"] if output is None else decode_mask(output, shown.size[::-1])
    return draw_mask(shown, mask, class_names)


def _named(output: np.ndarray, side: int) -> np.ndarray:
    """The class of each pixel [S, S] of logits [h, w, K]."""
    return np.asarray(_most_likely(output, side))


@functools.partial(jax.jit, static_argnames="side")
def _most_likely(output: jax.Array, side: int) -> jax.Array:
    return jnp.argmax(jax.image.resize(output, (side, side, output.shape[-1]), "bilinear"), -1)
