"""When a training has taught no more than guessing, and what is said of it then."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.data.decode import ImageRule
from hytnas_jax.data.readers.source import Task
from hytnas_jax.tasks import vision_task
from hytnas_jax.training.better_than_chance import Score, Training, doubt, training_score
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import Project
from supernet.stage_space import DenseHeadSpace

SCHEDULE = Schedule(epochs=3, batch_size=10, learning_rate=0.003, seed=0)


@pytest.mark.parametrize(
    ("guess", "images", "accuracy", "is_near"),
    [
        (0.5, 10_000, 0.50, True),
        (0.5, 10_000, 0.59, True),  # surely better, but hardly
        (0.5, 10_000, 0.62, False),
        (0.5, 100, 0.60, True),
        (0.5, 40, 0.65, True),  # 26 of 40: guessing does as well once in 25 times
        (0.5, 40, 0.70, False),
        (0.1, 10_000, 0.15, True),
        (0.1, 10_000, 0.16, False),
        (0.001, 50_000, 0.0012, True),
        (0.001, 50_000, 0.05, False),  # little, but 50 times as much
        (0.9, 10_000, 0.90, True),
        (0.9, 10_000, 0.93, False),
        (0.5, 4, 0.50, True),
        (0.5, 4, 1.00, False),  # few images are no reason to doubt
        (0.5, 4, 0.75, False),
        (0.0, 40, 0.009, True),  # guessing finds no box
        (0.0, 40, 0.01, False),
        (0.001, 10_000, 0.009, False),  # of a thousand classes
    ],
)
def test_near_guessing_by_hand(guess: float, images: int, accuracy: float, is_near: bool) -> None:
    assert Score(accuracy, images, guess, "").is_near_guessing == is_near


def dataset(train: int = 60, search: int = 50) -> Dataset:
    """Three of five training images are of class 0, half of the validation split."""

    def images(count: int, of_0: float) -> LabelledImages:
        labels = (np.arange(count) >= of_0 * count).astype(np.int32)
        return LabelledImages(np.zeros((count, 1, 1, 1), np.uint8), labels)

    splits = {"train": images(train, 0.6), "validation": images(search, 0.5), "test": images(4, 0.5)}
    rule = ImageRule(1, 1)
    return Dataset(
        "", "classification", ("a", "b"), **splits, mean=(0.0,), std=(1.0,), native_side=1, rule=rule, cut=0.0
    )


def project(*, mirror: bool = True) -> Project:
    """What is asked of one."""
    return project_of("classification", mirror=mirror)


def project_of(task: Task, *, mirror: bool = False) -> Project:
    head = None if task == "classification" else DenseHeadSpace(stride=8, box_channels=4)
    space = SimpleNamespace(dense_head=head)
    return cast(Project, SimpleNamespace(task=vision_task(task, 2), mirror=mirror, space=space))


def write_metrics(folder: Path, accuracies: list[float]) -> Path:
    lines = [json.dumps({"step": n, "accuracy": a}) + "\n" for n, a in enumerate(accuracies)]
    (folder / "metrics.jsonl").write_text("".join(lines))
    return folder


def test_the_last_epoch_counts(tmp_path: Path) -> None:
    folder = write_metrics(tmp_path, [0.5] * 12 + [0.8, 0.9] * 3)
    task = vision_task("classification", 2)
    score = training_score(folder, dataset(), task, batch_size=10)
    assert score is not None
    assert (score.accuracy, score.images, score.guess) == (pytest.approx(0.85), 60, 0.6)
    assert training_score(tmp_path / "nowhere", dataset(), task, batch_size=10) is None


def test_no_doubt_about_what_was_learnt(tmp_path: Path) -> None:
    folder = write_metrics(tmp_path, [0.5] * 12 + [0.95] * 6)
    assert doubt([Training("network", folder, 0.9)], project(), dataset(), SCHEDULE) is None


def test_mirroring_is_named_among_the_causes_where_it_is_on(tmp_path: Path) -> None:
    stuck = Training("the network", write_metrics(tmp_path, [0.62] * 18), 0.6)
    said = doubt([stuck], project(), dataset(), SCHEDULE)
    assert said == (
        "hardly better than guessing: the network, with an accuracy of 0.62 in training, where naming the "
        "most frequent class gives 0.60. Causes may be images that are of another class once mirrored "
        "(--mirror off, another --workdir), too few epochs (3), a learning rate that does not suit (0.003), "
        "or labels, boxes or masks that do not belong to the images"
    )
    assert "mirrored" not in (doubt([stuck], project(mirror=False), dataset(), SCHEDULE) or "mirrored")
    # The validation split is evaluated at the end, when the last epoch's lessons have been learnt.
    late = dataclasses.replace(stuck, validation_quality=0.8)
    assert doubt([late], project(), dataset(), SCHEDULE) is None
    assert doubt([late], project(), dataset(search=4), SCHEDULE) is not None  # 4 images say nothing


def test_one_line_for_all_networks(tmp_path: Path) -> None:
    """What has learnt the training images by heart is near guessing on others."""
    by_heart = write_metrics(tmp_path, [0.97] * 18)
    trainings = [
        Training(name, by_heart, accuracy) for name, accuracy in (("a", 0.9), ("b", 0.52), ("c", 0.4))
    ]
    said = doubt(trainings, project(), dataset(), SCHEDULE)
    assert said is not None
    assert "guessing: 2 of 3 networks (b for one), with an accuracy of 0.52 on the validation split" in said
    assert "\n" not in said
    assert doubt(trainings, project(), dataset(), SCHEDULE, at_least=0.7) is None


def test_a_detector_is_doubted_where_it_finds_nothing(tmp_path: Path) -> None:
    detection = project_of("detection")
    folder = write_metrics(tmp_path, [0.5] * 18)  # what a step counts is no AP
    said = doubt([Training("network", folder, 0.004)], detection, dataset(), SCHEDULE)
    assert said is not None
    assert "with an AP of 0.00 on the validation split. Causes" in said
    assert "things too small for the resolution (--resolutions" in said
    assert doubt([Training("network", folder, 0.02)], detection, dataset(), SCHEDULE) is None
