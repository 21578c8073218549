"""What subnets are evaluated on: calibration on the training split, errors on the validation split."""

from collections.abc import Callable

import numpy as np

from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.workspace.project import Project
from proxies.evaluation.base import EvaluationImages, in_batches

BATCH = 128  # images in a batch
NUM_CALIBRATION_BATCHES = 4


def evaluation_images(
    project: Project, dataset: Dataset, *, num_calibration: int = NUM_CALIBRATION_BATCHES
) -> Callable[[int], EvaluationImages]:
    """For a resolution, so many batches of training images to calibrate by, and the validation split."""
    return lambda resolution: images_for(
        project, dataset.train, dataset.validation, resolution, num_calibration=num_calibration
    )


def images_for(
    project: Project,
    train: LabelledImages,
    evaluated: LabelledImages,
    resolution: int,
    *,
    num_calibration: int = NUM_CALIBRATION_BATCHES,
) -> EvaluationImages:
    """Calibration batches drawn evenly from `train`, and all of `evaluated`, both prepared, not augmented."""
    batch = min(BATCH, len(evaluated))
    images = project.prepared(evaluated, resolution, multiple_of=batch)
    _, targets, real = in_batches(evaluated.labels, evaluated.targets, batch)  # the images are so already
    return EvaluationImages(
        calibration_images(project, train, resolution, num_batches=num_calibration),
        images.reshape(-1, batch, *images.shape[1:]),
        targets,
        real,
    )


def calibration_images(
    project: Project,
    train: LabelledImages,
    resolution: int,
    *,
    num_batches: int = NUM_CALIBRATION_BATCHES,
) -> np.ndarray:
    """At most so many batches drawn evenly from `train`, prepared: float32 [N, B, R, R, C]."""
    batch = min(BATCH, len(train))
    count = max(1, min(num_batches, len(train) // batch))
    order = np.random.default_rng(0).permutation(len(train))[: count * batch]
    calibration = project.prepared(train.take(order), resolution)
    return calibration.reshape(count, batch, *calibration.shape[1:])
