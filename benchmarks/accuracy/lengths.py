"""How often, and in batches of how many, should few images be seen? Networks trained from random weights.

    python -m benchmarks.accuracy.lengths --workdir runs/cells --name lengths_cells

For a work folder in which `train_supernet` has begun: networks of the space at its largest resolution, spread
over cost, are trained for each number of epochs with each batch size. What is said of them is the validation
split's.
"""

import contextlib
import dataclasses
import io
import itertools
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, show
from hytnas_jax import console
from hytnas_jax.retrain.config import Config as Retraining
from hytnas_jax.runtime.preparation import prepare_process
from hytnas_jax.training.stand_alone import Schedule, examine, train_alone
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs
from supernet.network_spec import NetworkSpec

DRAWN = 400


@dataclasses.dataclass(frozen=True)
class Config:
    """Train a few networks for several lengths, in batches of several sizes."""

    workdir: Path
    """A work folder whose images and space are known."""
    epochs: tuple[int, ...] = (40, 80)
    """How many times each image is seen."""
    batch_sizes: tuple[int, ...] = (32, 8)
    """Images in a training step."""
    networks: int = 2
    """How many networks."""
    name: str = "lengths"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Train them all."""
    require_at_least(config, {"networks": 1})
    prepare_process()
    project = open_project(Workdir(config.workdir))
    specs = networks(project, config.networks)
    jobs = list(itertools.product(config.epochs, config.batch_sizes, specs))
    dataset, rows = project.dataset(), list[dict[str, Any]]()
    with console.progress(jobs, "training") as bar:
        for epochs, batch_size, spec in bar:
            schedule = Schedule(epochs, batch_size, Retraining.learning_rate, 0)
            rows.append(train(project, dataset, spec, schedule))
    show(rows)
    return {"data": project.source, "quality": project.task.quality, "trainings": rows}


def networks(project: Project, count: int) -> list[NetworkSpec]:
    """Of random networks at the largest resolution those at even places in the order of their MACs."""
    codes = project.space.sample(np.random.default_rng(1), DRAWN)
    side = max(project.space.resolution)
    pool = [member for member in project.space.decode_all(codes) if member.resolution == side]
    order = np.argsort(num_macs(project.to_spec)(pool))
    places = [order[len(order) * (2 * number + 1) // (2 * count)] for number in range(count)]
    return [project.to_spec(pool[place]) for place in places]


def train(project: Project, dataset: Any, spec: NetworkSpec, schedule: Schedule) -> dict[str, Any]:
    """What becomes of a network."""
    folder, started = Path(tempfile.mkdtemp()), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        weights = train_alone(project, dataset, spec, schedule, start=None, folder=folder, label="")
    shutil.rmtree(folder)
    found, _ = examine(project, spec, weights, dataset.validation)
    beside = project.task.measure.beside
    return {
        "epochs": schedule.epochs,
        "batch_size": schedule.batch_size,
        "network": spec.name,
        project.task.quality: 1 - found.error,
        "deviation": found.deviation,
        **({} if beside is None else {beside[0]: found.details[beside[0]]}),
        "cpu_seconds": round(time.process_time() - started, 1),
    }


if __name__ == "__main__":
    main(benchmark, Config)
