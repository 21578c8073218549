"""What differs between tasks; everything else is the same for all.

Letters: N images, B batch, K classes.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from hytnas_jax.data import Augmentation, Crops, LabelledImages
from hytnas_jax.data.readers.source import Task
from hytnas_jax.tasks.measure import Measure
from hytnas_jax.tasks.pace import Pace
from proxies.evaluation.base import Scoring
from supernet.tasks.base import Lesson, Targets

SHOWN_SIDE = 256

Parts = Iterable[tuple[np.ndarray, Targets]]


@dataclasses.dataclass(frozen=True)
class Examined:
    """What is told of a trained network on a split.

    error: 1 - quality, in 0..1. deviation: its standard deviation with other images, NaN where that is not
    known. details: further numbers by name, JSON values; by class where a list has K of them. by_image: [N],
    a quality of each image, by which examples are chosen, NaN where there is nothing to find; None for
    classification.
    """

    error: float
    deviation: float
    details: Mapping[str, Any]
    by_image: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class VisionTask:
    """A task with the classes of one data set.

    Attributes:
      name: as --task has it.
      quality: what 1 - error is called: "accuracy", "AP", "mIoU".
      measure: how people are told of its errors.
      lesson, scoring: what is taught, and how that is evaluated.
      augmentation: what is drawn for each training image; whether it is mirrored, the data set says.
      move: (targets, crops, stored side, resolution) -> targets of the augmented images, traced.
      pace: how long and how fast it is trained, unless the user says otherwise.
      chance_loss: about the loss of a network that has learnt nothing, in nats.
      guess: (images) -> the quality that naming the most frequent class has.
      class_logits: outputs [N, ...] -> those for the classes, [N, ..., K].
      file_quality: (outputs [N, ...], targets) -> what an exported file may lose a point of, in 0..1, and
        what that is called.
      examine: (parts of the images, each outputs [N, ...] and targets) -> what is told of them in the end,
        exactly; on the host.
      draw: (image uint8 [S, S, C], output or None, the image's targets, class names) -> the image with what
        the output finds in it, or with what is there; None for classification.
      decode: (output, side) -> what `infer.py` makes of it: boxes, or the mask of a square image of that
        side; None for classification.
    """

    name: Task
    quality: str
    measure: Measure
    lesson: Lesson
    scoring: Scoring
    augmentation: Augmentation
    move: Callable[[Targets, Crops, int, int], Targets]
    pace: Pace
    chance_loss: float
    guess: Callable[[LabelledImages], float]
    class_logits: Callable[[np.ndarray], np.ndarray]
    file_quality: Callable[[np.ndarray, Targets], float]
    file_quality_name: str
    examine: Callable[[Parts], Examined]
    draw: Callable[[np.ndarray, np.ndarray | None, Targets, Sequence[str]], Image.Image] | None = None
    decode: Callable[[np.ndarray, int], object] | None = None


def enlarged(image: np.ndarray) -> Image.Image:
    """uint8 [S, S, C], of `SHOWN_SIDE` pixels a side at least, to draw into."""
    shown = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    times = -(-SHOWN_SIDE // image.shape[0])
    if times == 1:
        return shown
    return shown.resize((times * shown.width, times * shown.height), Image.Resampling.BICUBIC)


def known(values: np.ndarray) -> list[float | None]:
    """As JSON values; None for those that are no numbers, as of a class that does not occur."""
    return [number_or_none(value) for value in values]


def number_or_none(value: float) -> float | None:
    """As a JSON value; None for NaN, as the deviation of what a single image has."""
    return float(value) if np.isfinite(value) else None
