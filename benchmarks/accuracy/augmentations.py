"""How much should images with boxes or masks be changed in training, and how fast should networks learn?

    python -m benchmarks.accuracy.augmentations --workdir runs/drawn --data DIR --name augmentations_cells

Networks of the space, spread over cost, are trained from random weights by the recipe of `retrain`, and again
with one thing changed at a time. Every training is a row of `augmentations.csv` in the work folder; the same
command goes on. What is said of them is the validation split's.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.accuracy.lengths import networks, train
from benchmarks.common import main, require_at_least, show
from hytnas_jax import console
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.retrain.config import Config as Retraining
from hytnas_jax.runtime.preparation import prepare_process
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.tasks import VisionTask
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError

AS_IT_IS = "as it is"
COLUMNS = ("changed", "network", "parameters", "quality", "deviation", "cpu_seconds")


@dataclasses.dataclass(frozen=True)
class Config(DataConfig):
    """Train a few networks with other augmentations and other learning rates."""

    colours: tuple[float, ...] = (0.0, 0.4, 0.6)
    """How far brightness and contrast may be from 1, in place of what the task has."""
    smallest: tuple[float, ...] = (0.3, 0.8)
    """Sides of the smallest crop, by the image's."""
    largest: tuple[float, ...] = (1.0, 1.25, 1.6)
    """Sides of the largest crop; above 1, images become smaller."""
    rates: tuple[float, ...] = (5e-3, 2e-2)
    """Peak learning rates."""
    networks: int = 2
    """How many networks."""
    steps: int = 2000
    """Training steps of each."""
    name: str = "augmentations"
    """Of the result file."""


@dataclasses.dataclass(frozen=True)
class ChangedProject(Project):
    """A project whose images are changed otherwise than its task says."""

    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def task(self) -> VisionTask:
        task = super().task
        drawn = dataclasses.replace(task.augmentation, **dict(self.changes))
        return dataclasses.replace(task, augmentation=drawn)


def benchmark(config: Config) -> dict[str, Any]:
    """Train those that are missing."""
    require_at_least(config, {"networks": 1, "steps": 10})
    prepare_process()
    flags = DataConfig(config.workdir, **config.data_flags())
    project, dataset = create_project(Workdir(config.workdir), flags, seed=0)
    members = networks(project, config.networks)
    log = CsvLog(project.workdir.path / "augmentations.csv", COLUMNS)
    have = {(row["changed"], row["network"]) for row in log.rows()}
    jobs = list(itertools.product(ways(config, project.task).items(), members))
    missing = [job for job in jobs if (job[0][0], project.to_spec(job[1]).name) not in have]
    batch = project.task.pace.batch_size
    epochs = -(-config.steps * batch // len(dataset.train))
    with console.progress(missing, "training") as bar:
        for (name, change), member in bar:
            rate = change.get("rate", Retraining.learning_rate)
            changes = tuple(item for item in change.items() if item[0] != "rate")
            changed = ChangedProject(**vars(project), changes=changes)
            found = train(changed, dataset, project.to_spec(member), Schedule(epochs, batch, rate, 0), None)
            found["quality"] = found[project.task.quality]
            log.append({"changed": name, **{key: found[key] for key in COLUMNS[1:]}})
            bar.note(f"{name}: {project.task.quality} {found['quality']:.3f}")
    rows = means(log.rows())
    show(rows)
    return {
        "data": project.source,
        "quality": project.task.quality,
        "epochs": epochs,
        "means": rows,
        "trainings": log.rows(),
    }


def ways(config: Config, task: VisionTask) -> dict[str, dict[str, float]]:
    """What is compared, by name: the values that are not the task's.

    Raises UserError for a task that changes no colours: its augmentation is another study's (`few_images`).
    """
    drawn = task.augmentation
    if task.name == "classification":
        raise UserError("task classification: this study is for boxes and masks; few_images is for classes")
    values = {
        "colour": config.colours,
        "smallest": config.smallest,
        "largest": config.largest,
        "rate": config.rates,
    }
    return {AS_IT_IS: {}} | {
        f"{key} {value:g}": {key: value}
        for key, of_key in values.items()
        for value in of_key
        if value != getattr(drawn, key, None)
    }


def means(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """For each way the mean quality of its networks, and by how much it is above that of `AS_IT_IS`."""

    def quality(way: str) -> Mapping[str, float]:
        return {row["network"]: float(row["quality"]) for row in rows if row["changed"] == way}

    plain, found = quality(AS_IT_IS), []
    for way in dict.fromkeys(row["changed"] for row in rows):
        both = [(value, plain[name]) for name, value in quality(way).items() if name in plain]
        gains = [value - before for value, before in both]
        found.append({"changed": way, "quality": float(np.mean([v for v, _ in both])), "gains": gains})
    return found


if __name__ == "__main__":
    main(benchmark, Config)
