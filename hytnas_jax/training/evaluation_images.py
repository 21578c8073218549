"""What subnets are judged by: calibration on the training split, errors on the search split."""

from collections.abc import Callable

import numpy as np

from hytnas_jax.data import Dataset, Pictures
from hytnas_jax.workspace.project import Project
from proxies.evaluation.base import JudgingPictures, in_batches

BATCH = 128  # pictures in a batch
NUM_CALIBRATION_BATCHES = 4


def judging_pictures(
    project: Project, dataset: Dataset, *, num_calibration: int = NUM_CALIBRATION_BATCHES
) -> Callable[[int], JudgingPictures]:
    """For a resolution, so many batches of training pictures to calibrate by, and the search split."""
    return lambda resolution: pictures_for(
        project, dataset.train, dataset.search, resolution, num_calibration=num_calibration
    )


def pictures_for(
    project: Project,
    train: Pictures,
    judged: Pictures,
    resolution: int,
    *,
    num_calibration: int = NUM_CALIBRATION_BATCHES,
) -> JudgingPictures:
    """Calibration batches drawn evenly from `train`, and all of `judged`, both prepared, not augmented."""
    batch = min(BATCH, len(train))
    count = max(1, min(num_calibration, len(train) // batch))
    order = np.random.default_rng(0).permutation(len(train))[: count * batch]
    calibration = project.prepared(Pictures(train.images[order], train.labels[order]), resolution)
    images, labels = in_batches(project.prepared(judged, resolution), judged.labels, min(BATCH, len(judged)))
    return JudgingPictures(calibration.reshape(count, batch, *calibration.shape[1:]), images, labels)
