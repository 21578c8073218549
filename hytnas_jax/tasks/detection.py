"""Finding objects. Letters: N images, M boxes of an image at most, h w the cells of an output, K classes."""

import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image

from hytnas_jax.data import Augmentation, Crops, LabelledImages, move_boxes
from hytnas_jax.on_device.decode_boxes import decode_boxes
from hytnas_jax.on_device.drawing import draw_boxes
from hytnas_jax.on_device.find_boxes import LEAST, above
from hytnas_jax.quality.average_precision import Found, Truth, average_precision, average_precision50
from hytnas_jax.quality.object_matching import match_objects
from hytnas_jax.quality.recall import LEAST_SCORE, recall
from hytnas_jax.tasks.base import Examined, Parts, VisionTask, enlarged, known, number_or_none
from hytnas_jax.tasks.measure import Measure
from hytnas_jax.tasks.pace import MAPS
from proxies.evaluation import detection as scoring
from supernet.tasks import detection as lesson
from supernet.tasks.base import Targets

AUGMENTATION = Augmentation(mirror=True, smallest=0.6, largest=1.25, colour=0.2)
# Of a network that finds nothing: -log of the few percent that it begins with, and boxes that are all wrong.
CHANCE_LOSS = 3.0 + lesson.BOX_WEIGHT


@functools.cache
def detection(num_classes: int) -> VisionTask:
    """The error is 1 - AP, the mean over the classes and over the IoU thresholds 0.50 to 0.95."""
    return VisionTask(
        name="detection",
        quality="AP",
        measure=Measure("AP", beside=("AP50", "AP50")),
        lesson=lesson.detection(num_classes),
        scoring=scoring.detection(num_classes),
        augmentation=AUGMENTATION,
        move=_move,
        pace=MAPS,
        chance_loss=CHANCE_LOSS,
        guess=_guess,
        class_logits=lambda outputs: outputs[..., :num_classes],
        file_quality=functools.partial(_ap50, num_classes),
        file_quality_name="AP50",
        examine=functools.partial(_examine, num_classes),
        draw=_draw,
        decode=lambda output, side: decode_boxes(output),
    )


def _move(targets: Targets, crops: Crops, side: int, resolution: int) -> Targets:
    return move_boxes(targets, crops, side)


def _guess(images: LabelledImages) -> float:
    return 0.0


def _ap50(num_classes: int, outputs: np.ndarray, targets: Targets) -> float:
    return float(np.nan_to_num(average_precision50(_found(outputs), _truth(targets), num_classes)))


def _examine(num_classes: int, parts: Parts) -> Examined:
    """Of raw outputs [N, h, w, K + 4]. An image's quality is the panoptic one of the boxes that are shown."""
    found, truth = list[Found](), list[Truth]()
    boxes = np.zeros(num_classes, np.int64)
    for outputs, targets in parts:
        found += _found(outputs)
        truth += _truth(targets)
        is_object = (targets["classes"] >= 0) & ~targets["ignored"]
        boxes += np.bincount(targets["classes"][is_object], minlength=num_classes)
    told = average_precision(found, truth, num_classes)
    details = {
        "AP50": number_or_none(told.ap50),
        "AP50_deviation": number_or_none(told.ap50_deviation),
        "AP_by_class": known(told.by_class),
        "AP50_by_class": known(told.by_class50),
        "boxes_by_class": boxes.tolist(),
        "recall": recall([match_objects(*pair, LEAST_SCORE) for pair in zip(found, truth, strict=True)]),
    }
    by_image = np.array([match_objects(*pair, LEAST).quality for pair in zip(found, truth, strict=True)])
    return Examined(1 - told.ap, told.ap_deviation, details, by_image)


def _found(outputs: np.ndarray) -> list[Found]:
    return [Found(*decode_boxes(output)) for output in outputs]


def _truth(targets: Targets) -> list[Truth]:
    columns = (targets[name] for name in ("boxes", "classes", "ignored"))
    return [Truth(*each) for each in zip(*columns, strict=True)]


def _draw(
    image: np.ndarray, output: np.ndarray | None, targets: Targets, class_names: Sequence[str]
) -> Image.Image:
    """Boxes with the scores that `infer.py` shows; or those of the truth, without the ignored ones."""
    shown = enlarged(image)
    if output is not None:
        return draw_boxes(shown, *above(decode_boxes(output), LEAST), class_names)
    is_object = (targets["classes"] >= 0) & ~targets["ignored"]
    return draw_boxes(shown, targets["boxes"][is_object], None, targets["classes"][is_object], class_names)
