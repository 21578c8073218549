"""How often, and in batches of how many, should few images be seen?

    python -m benchmarks.accuracy.lengths --workdir runs/cells --name lengths_cells

For a work folder in which `train_supernet` has ended: networks of the space at its largest resolution, spread
over cost, are trained for each number of epochs with each batch size, from the supernet's weights and from
random ones. What is said of them is the validation split's.
"""

import contextlib
import dataclasses
import io
import itertools
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.common import main, require_at_least, show
from hytnas_jax import console
from hytnas_jax.data import Dataset
from hytnas_jax.retrain.config import Config as Retraining
from hytnas_jax.runtime.preparation import prepare_process
from hytnas_jax.training.stand_alone import Schedule, examine, train_alone
from hytnas_jax.training.supernet import shared_weights
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import complexity, num_macs
from supernet.architecture import Architecture
from supernet.model import Tree
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
    starts: tuple[Literal["supernet", "scratch"], ...] = ("supernet", "scratch")
    """What they begin with: the supernet's weights, random ones, or once with each."""
    networks: int = 2
    """How many networks."""
    seeds: int = 1
    """Trainings of each, from the seeds 0, 1, ..."""
    name: str = "lengths"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Train them all."""
    require_at_least(config, {"networks": 1, "seeds": 1})
    prepare_process()
    project = open_project(Workdir(config.workdir))
    members = networks(project, config.networks)
    jobs = list(
        itertools.product(config.epochs, config.batch_sizes, config.starts, range(config.seeds), members)
    )
    inherited = shared_weights(project) if "supernet" in config.starts else None
    dataset, rows = project.dataset(), list[dict[str, Any]]()
    with console.progress(jobs, "training") as bar:
        for epochs, batch_size, start, seed, member in bar:
            schedule = Schedule(epochs, batch_size, Retraining.learning_rate, seed)
            weights = inherited(member) if inherited is not None and start == "supernet" else None
            found = train(project, dataset, project.to_spec(member), schedule, weights)
            told = {"epochs": epochs, "batch_size": batch_size, "start": start, "seed": seed}
            rows.append({**told, **found})
    show(rows)
    return {"data": project.source, "quality": project.task.quality, "trainings": rows}


def networks(project: Project, count: int) -> list[Architecture]:
    """Of random networks at the largest resolution those at even places in the order of their MACs."""
    codes = project.space.sample(np.random.default_rng(1), DRAWN)
    side = max(project.space.resolution)
    pool = [member for member in project.space.decode_all(codes) if member.resolution == side]
    order = np.argsort(num_macs(project.to_spec)(pool))
    places = [order[len(order) * (2 * number + 1) // (2 * count)] for number in range(count)]
    return [pool[place] for place in places]


def train(
    project: Project, dataset: Dataset, spec: NetworkSpec, schedule: Schedule, start: Tree | None
) -> dict[str, Any]:
    """What becomes of a network that begins with these weights, or with random ones."""
    folder, started = Path(tempfile.mkdtemp()), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        weights = train_alone(project, dataset, spec, schedule, start=start, folder=folder, label="")
    shutil.rmtree(folder)
    found, _ = examine(project, spec, weights, dataset.validation)
    beside = project.task.measure.beside
    return {
        "network": spec.name,
        "parameters": complexity(spec).num_parameters,
        project.task.quality: 1 - found.error,
        "deviation": found.deviation,
        **({} if beside is None else {beside[0]: found.details[beside[0]]}),
        "cpu_seconds": round(time.process_time() - started, 1),
    }


if __name__ == "__main__":
    main(benchmark, Config)
