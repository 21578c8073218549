"""Whether a training has taught more than guessing, and what may be wrong where it has not."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hytnas_jax.data import Dataset
from hytnas_jax.tasks import VisionTask
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import Project

CLEARLY = 2.0  # standard deviations
NOTHING = 0.01  # a quality below it is none, where guessing has none
_MIRRORED = "images that are of another class once mirrored (--mirror off, another --workdir)"


@dataclasses.dataclass(frozen=True)
class Score:
    """An accuracy, or another quality in 0..1, on so many images; `guess` is that of always naming the most
    frequent class. `where` it is from, in words."""

    accuracy: float
    images: int
    guess: float
    where: str

    @property
    def is_near_guessing(self) -> bool:
        """Whether always naming the most frequent class would do about as well.

        That is: by count not clearly better, or better by less than a fifth of what is missing and by less
        than half of what guessing has (0.60 of two equal classes, 0.15 of ten, 0.92 of 0.9 and 0.1). Half of
        what is missing is never near, however few the images. Where guessing finds nothing, as boxes, a
        quality below NOTHING is near it.
        """
        if self.guess == 0:
            return self.accuracy < NOTHING
        little = min(self.guess + 0.2 * (1 - self.guess), 1.5 * self.guess)
        is_little = self.accuracy <= little or not self.is_surely_better
        return is_little and self.accuracy < (1 + self.guess) / 2

    @property
    def is_surely_better(self) -> bool:
        """Whether guessing would do as well on so many images in one case of 40 at most."""
        deviation = math.sqrt(self.guess * (1 - self.guess) / self.images)
        return self.accuracy > self.guess + CLEARLY * deviation


@dataclasses.dataclass(frozen=True)
class Training:
    """A training that has ended: of what, where its metrics lie, and its quality on the validation split."""

    name: str
    folder: Path
    validation_quality: float


def doubt(
    trainings: Sequence[Training],
    project: Project,
    dataset: Dataset,
    schedule: Schedule,
    *,
    at_least: float = 0.0,
) -> str | None:
    """What to say of the trainings that ended near guessing, and of what may be the cause; None without any.

    at_least: the part of the trainings below which nothing is said: among networks of all sizes, the smallest
    may learn little.
    """
    task = project.task
    near = [(training.name, _near(training, dataset, task, schedule.batch_size)) for training in trainings]
    found = [(name, score) for name, score in near if score is not None]
    if not found or len(found) < at_least * len(trainings):
        return None
    name, score = found[0]
    than_guess = f", where naming the most frequent class gives {score.guess:.2f}" if score.guess else ""
    head = project.space.dense_head
    who = name if len(trainings) == 1 else f"{len(found)} of {len(trainings)} networks ({name} for one)"
    causes = [
        *([_MIRRORED] * project.mirror),
        f"too few epochs ({schedule.epochs})",
        f"a learning rate that does not suit ({schedule.learning_rate:g})",
        *(["things too small for the resolution (--resolutions, another --workdir)"] * (head is not None)),
    ]
    return (
        f"hardly better than guessing: {who}, with an {task.quality} of {score.accuracy:.2f} {score.where}"
        f"{than_guess}. Causes may be {', '.join(causes)}, or labels, boxes or masks that do not belong to "
        "the images"
    )


def _near(training: Training, dataset: Dataset, task: VisionTask, batch_size: int) -> Score | None:
    """The score near guessing: in the last epoch, unless the validation split contradicts it; or on that.

    What a training step counts is the quality for classification alone.
    """
    evaluated = Score(
        training.validation_quality,
        len(dataset.validation),
        task.guess(dataset.validation),
        "on the validation split",
    )
    if task.name != "classification":
        return evaluated if evaluated.is_near_guessing else None
    in_training = training_score(training.folder, dataset, task, batch_size=batch_size)
    if in_training is not None and in_training.is_near_guessing and not evaluated.is_surely_better:
        return in_training
    return evaluated if evaluated.is_near_guessing else None


def training_score(folder: Path, dataset: Dataset, task: VisionTask, *, batch_size: int) -> Score | None:
    """Of the last epoch that `folder`/metrics.jsonl tells of; None where there is none."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    last = lines[-math.ceil(len(dataset.train) / batch_size) :]
    if not last:
        return None
    accuracy = float(np.mean([json.loads(line)["accuracy"] for line in last]))
    return Score(accuracy, len(last) * batch_size, task.guess(dataset.train), "in training")
