"""Naming the class of an image. Letters: N images, K classes."""

import functools
import math

import numpy as np

from hytnas_jax.data import Augmentation, Crops, LabelledImages
from hytnas_jax.tasks.base import Examined, Parts, VisionTask
from hytnas_jax.tasks.measure import ERROR
from hytnas_jax.tasks.pace import CLASSES
from proxies.evaluation.classification import CLASSIFICATION as SCORING
from supernet.tasks.base import Targets
from supernet.tasks.classification import CLASSIFICATION as LESSON


@functools.cache
def classification(num_classes: int) -> VisionTask:
    """The error is the share of the images that are called wrong."""
    return VisionTask(
        name="classification",
        quality="accuracy",
        measure=ERROR,
        lesson=LESSON,
        scoring=SCORING,
        augmentation=Augmentation(mirror=True),
        move=_stay,
        pace=CLASSES,
        chance_loss=math.log(num_classes),
        guess=_guess,
        class_logits=lambda logits: logits,
        file_quality=lambda logits, targets: 1 - _examine([(logits, targets)]).error,
        file_quality_name="accuracy",
        examine=_examine,
    )


def _stay(targets: Targets, crops: Crops, side: int, resolution: int) -> Targets:
    return targets


def _guess(images: LabelledImages) -> float:
    return float(np.bincount(images.labels).max()) / len(images)


def _examine(parts: Parts) -> Examined:
    """Of logits [N, K] and {"label": int [N]}."""
    wrong = count = 0
    for logits, targets in parts:
        wrong += int(np.count_nonzero(logits.argmax(-1) != targets["label"]))
        count += len(logits)
    error = wrong / count
    return Examined(error, math.sqrt(error * (1 - error) / count), {})
