"""Begin with the supernet's weights, or with random ones? Networks of a front retrained both ways.

    python -m benchmarks.accuracy.inherit_or_scratch --workdir runs/digits

For each of some networks of the front, far from one another: the error with the supernet's weights as they
are, after so many epochs from them, and after as many from random weights; all on the validation split.
Learning rate and batches are those of `retrain`, and from the supernet's weights also a third of that rate.
The supernet's own training is not counted: a search has paid for it already.

Every training is a row of `inherit_or_scratch/trained.csv` in the work folder; the same command goes on.
"""

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import main, require_at_least, save_plot
from hytnas_jax import console
from hytnas_jax.data import Dataset
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.retrain.config import Config as Retraining
from hytnas_jax.retrain.roles import choose_roles
from hytnas_jax.runtime.executor import local
from hytnas_jax.runtime.preparation import prepare_process
from hytnas_jax.search.results import ParetoPoint, load_pareto
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.training.stand_alone import Schedule, train_and_evaluate
from hytnas_jax.training.supernet import shared_weights
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.model import Tree

SLOWER = "supernet, 1e-3"
RATES = {"supernet": Retraining.learning_rate, "scratch": Retraining.learning_rate, SLOWER: 1e-3}
COLORS = {"supernet": "#1f77b4", "scratch": "#d62728", SLOWER: "#2ca02c"}
LABELS = {
    "supernet": "from the supernet's weights",
    "scratch": "from random weights",
    SLOWER: "from the supernet's, a third of the learning rate",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Retrain networks of a front from the supernet's weights and from random ones."""

    workdir: Path
    """A work folder in which a search for `error` has ended."""
    networks: int = 10
    """Networks of the front."""
    epochs: tuple[int, ...] = (5, 20)
    """How long to train; each is a training of its own."""
    batch_size: int = 32
    """Images in a step."""
    seed: int = 0
    """Of the weights and of the order of the images."""
    name: str = "inherit_or_scratch"
    """Of the result files."""
    processes: int = os.cpu_count() or 1
    """Networks trained at the same time."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One training; `start` is a name in `RATES`."""

    architecture: Architecture
    start: str
    epochs: int

    def __str__(self) -> str:
        return f"{self.architecture.name} · {self.start} · {self.epochs} epochs"


@dataclasses.dataclass(frozen=True, eq=False)
class Training:
    """Makes a job: the error on the validation split. `inherited` has the supernet's weights of each
    network."""

    project: Project
    dataset: Dataset
    inherited: Mapping[Architecture, Tree]
    folder: Path
    config: Config

    def run(self, job: Job) -> float:
        prepare_process()
        folder = self.folder / f"{job.architecture.name}-{job.start}-{job.epochs}"
        spec = self.project.to_spec(job.architecture)
        is_inherited = job.start != "scratch"
        error, _ = train_and_evaluate(
            self.project,
            self.dataset,
            spec,
            Schedule(job.epochs, self.config.batch_size, RATES[job.start], self.config.seed),
            start=self.inherited[job.architecture] if is_inherited else None,
            folder=folder,
            label=str(job),
        )
        return error


def benchmark(config: Config) -> dict[str, Any]:
    """Train what is missing, and report."""
    require_at_least(config, {"networks": 2, "batch_size": 2, "seed": 0, "processes": 1})
    project = open_project(Workdir(config.workdir))
    points = chosen(project, config.networks)
    errors = trained(project, points, config)
    as_it_is = np.array([point.values["error"] for point in points])
    by_epochs = {}
    for epochs in config.epochs:
        both = {
            start: np.array([errors[Job(point.architecture, start, epochs)] for point in points])
            for start in RATES
        }
        less_scratch = {start: paired(both[start] - both["scratch"]) for start in RATES if start != "scratch"}
        by_epochs[epochs] = {"errors": both, "less_scratch": less_scratch}
        print(f"{epochs} epochs: scratch {both['scratch'].mean():.4f}")
        for start, gap in less_scratch.items():
            print(
                f"  {start} {both[start].mean():.4f}, difference {gap['mean']:+.4f} "
                f"[{gap['low']:+.4f}, {gap['high']:+.4f}]"
            )
    print(f"with the supernet's weights as they are: {as_it_is.mean():.4f}")
    networks = [point.architecture for point in points]
    save_plot(config.name, costs_figure(num_macs(project.to_spec)(networks), as_it_is, by_epochs))
    return {
        "data": project.source,
        "training_images": project.workdir.step("data").done()["summary"]["train"],
        "networks": [network.name for network in networks],
        "as_it_is": as_it_is,
        "epochs": by_epochs,
    }


def chosen(project: Project, count: int) -> list[ParetoPoint]:
    """Networks of the front, far from one another. Raises UserError where it is smaller or has no errors."""
    points = load_pareto(project)
    if "error" not in points[0].values or len(points) < count:
        raise UserError(
            f"--networks {count}: the front in {project.workdir.path} has {len(points)} networks and the "
            f"objectives {', '.join(points[0].values)}; search for error with more --evaluations, or give "
            "fewer networks"
        )
    names = list(points[0].values)
    values = np.array([[point.values[name] for name in names] for point in points])
    return [points[row] for row, _ in choose_roles(values, names, count)]


def trained(project: Project, points: list[ParetoPoint], config: Config) -> dict[Job, float]:
    """The error of every training; those of an earlier call are taken from the table."""
    networks = {point.architecture.name: point.architecture for point in points}
    folder = project.workdir.path / "inherit_or_scratch"
    step = project.workdir.step("inherit_or_scratch")
    step.begin(
        settings_of(config, without=("processes", "name", "networks", "epochs")),
        {name: project.workdir.step(name).done()["id"] for name in ("supernet", "search")},
    )
    table = CsvLog(folder / "trained.csv", ("name", "start", "epochs", "error"))
    done = {
        Job(networks[row["name"]], row["start"], int(row["epochs"])): float(row["error"])
        for row in table.rows()
        if row["name"] in networks
    }
    jobs = [
        Job(network, start, epochs)
        for epochs, network, start in itertools.product(config.epochs, networks.values(), RATES)
    ]
    work = Training(project, project.dataset(), inherited(project, networks.values()), folder, config)

    def record(job: Job, error: float) -> None:
        row = {"name": job.architecture.name, "start": job.start, "epochs": job.epochs, "error": error}
        table.append(row)

    train_missing(work, jobs, done, record, processes=config.processes)
    return done


def train_missing(
    work: Training,
    jobs: list[Job],
    done: dict[Job, float],
    record: Callable[[Job, float], None],
    *,
    processes: int,
) -> None:
    """Make the jobs that are not `done`; each error is recorded, and put there, once it is known."""
    todo = [job for job in jobs if job not in done]
    results = local(processes, share_cores=True).run(work, todo)
    bar = console.progress(len(jobs), "training", done=len(jobs) - len(todo))
    with bar, contextlib.closing(results):
        for job, error in results:
            record(job, error)
            done[job] = error
            bar.note(f"{job}: error {error:.4f}")
            bar.advance()


def inherited(project: Project, networks: Iterable[Architecture]) -> dict[Architecture, Tree]:
    """The supernet's weights of each network, as NumPy arrays, which can be sent to another process."""
    shared = shared_weights(project)
    return {network: jax.tree.map(np.asarray, shared(network)) for network in networks}


def paired(differences: np.ndarray) -> dict[str, float]:
    """Mean and the middle 95% of the means of 10,000 resamples of the networks."""
    draws = np.random.default_rng(0).integers(0, len(differences), (10_000, len(differences)))
    low, high = np.quantile(differences[draws].mean(axis=1), (0.025, 0.975))
    return {"mean": float(differences.mean()), "low": float(low), "high": float(high)}


def costs_figure(
    macs: np.ndarray, as_it_is: np.ndarray, by_epochs: Mapping[int, Mapping[str, Any]]
) -> Figure:
    """A panel for each length of training: errors over MACs, both ways, and as it is."""
    figure = Figure(figsize=(1 + 4 * len(by_epochs), 4), layout="constrained")
    panels = figure.subplots(1, len(by_epochs), sharey=True, squeeze=False)[0]
    for panel, (epochs, both) in zip(panels, by_epochs.items(), strict=True):
        panel.scatter(
            macs, 100 * as_it_is, s=18, color="gray", marker="x", label="supernet's weights as they are"
        )
        for start, label in LABELS.items():
            panel.scatter(macs, 100 * both["errors"][start], s=18, color=COLORS[start], label=label)
        panel.set(title=f"{epochs} epochs", xlabel="MACs", xscale="log")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("error on the validation split, %")
    panels[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main(benchmark, Config)
