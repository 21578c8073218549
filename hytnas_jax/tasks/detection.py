"""Finding objects. Letters: N images, M boxes of an image at most, h w the cells of an output, K classes."""

import functools

import numpy as np

from hytnas_jax.data import Augmentation, Crops, LabelledImages, move_boxes
from hytnas_jax.on_device.decode_boxes import decode_boxes
from hytnas_jax.quality.average_precision import AveragePrecision, Found, Truth, average_precision
from hytnas_jax.tasks.base import Examined, VisionTask, known, number_or_none
from hytnas_jax.tasks.measure import Measure
from proxies.evaluation import detection as scoring
from supernet.tasks import detection as lesson
from supernet.tasks.base import Targets

AUGMENTATION = Augmentation(mirror=True, smallest=0.5, largest=1.25, colour=0.2)
# Of a network that finds nothing: -log of the few percent that it begins with, and boxes that are all wrong.
CHANCE_LOSS = 3.0 + lesson.BOX_WEIGHT


@functools.cache
def detection(num_classes: int) -> VisionTask:
    """The error is 1 - AP, the mean over the classes and over the IoU thresholds 0.50 to 0.95."""
    return VisionTask(
        name="detection",
        quality="AP",
        a_quality="an AP",
        measure=Measure("AP", beside=("AP50", "AP50")),
        lesson=lesson.detection(num_classes),
        scoring=scoring.detection(num_classes),
        augmentation=AUGMENTATION,
        move=_move,
        chance_loss=CHANCE_LOSS,
        guess=_guess,
        class_logits=lambda outputs: outputs[..., :num_classes],
        file_quality=functools.partial(_ap50, num_classes),
        file_quality_name="AP50",
        examine=functools.partial(_examine, num_classes),
    )


def _move(targets: Targets, crops: Crops, side: int, resolution: int) -> Targets:
    return move_boxes(targets, crops, side)


def _guess(images: LabelledImages) -> float:
    return 0.0


def _ap50(num_classes: int, outputs: np.ndarray, targets: Targets) -> float:
    return float(np.nan_to_num(_average_precision(num_classes, outputs, targets).ap50))


def _examine(num_classes: int, outputs: np.ndarray, targets: Targets) -> Examined:
    """Of raw outputs [N, h, w, K + 4]."""
    told = _average_precision(num_classes, outputs, targets)
    details = {
        "AP50": number_or_none(told.ap50),
        "AP50_deviation": number_or_none(told.ap50_deviation),
        "AP_by_class": known(told.by_class),
        "AP50_by_class": known(told.by_class50),
    }
    return Examined(1 - told.ap, told.ap_deviation, details)


def _average_precision(num_classes: int, outputs: np.ndarray, targets: Targets) -> AveragePrecision:
    found = [Found(*decode_boxes(output)) for output in outputs]
    columns = (targets[name] for name in ("boxes", "classes", "ignored"))
    return average_precision(found, [Truth(*each) for each in zip(*columns, strict=True)], num_classes)
