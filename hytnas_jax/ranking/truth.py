"""The truth: networks trained on their own, by several processes, each result on the disk when it is there.

A job is one network from one seed. `truth.csv` grows by a row for each that has ended; one that was cut goes
on from its checkpoint.
"""

import contextlib
import dataclasses
import functools
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hytnas_jax import architecture_row, console
from hytnas_jax.data import Dataset
from hytnas_jax.preparation import prepare
from hytnas_jax.project import Project
from hytnas_jax.ranking.agreement import training_noise
from hytnas_jax.ranking.sample import draw_over_cost, spread
from hytnas_jax.train_alone import Schedule, train_and_judge
from hytnas_jax.user_table import number_in
from hytnas_jax.workdir import CsvLog, read_json
from hytnas_jax.workers import run_jobs
from proxies.complexity import num_macs
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

STEP, TABLE = "truth", "truth.csv"


@dataclasses.dataclass(frozen=True, order=True)
class Job:
    """One network to train, by its genes, from one seed."""

    seed: int
    architecture: Architecture

    def __str__(self) -> str:
        return f"{self.architecture.name} · seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class Trained:
    """What became of a job: error rate and loss in nats on the search split, and the seconds it took."""

    error: float
    loss: float
    seconds: float


@dataclasses.dataclass(frozen=True, eq=False)
class Trainer:
    """Trains a job's network from random weights by one fixed recipe."""

    project: Project
    dataset: Dataset
    schedule: Schedule
    folder: Path

    def run(self, job: Job) -> Trained:
        """Train, judge on the search split, and remove the checkpoints."""
        _prepare_once()
        started = time.perf_counter()
        folder = self.folder / f"{job.architecture.name}-{job.seed}"
        spec = self.project.to_spec(job.architecture)
        schedule = dataclasses.replace(self.schedule, seed=job.seed)
        error, loss = train_and_judge(
            self.project, self.dataset, spec, schedule, start=None, folder=folder, label=str(job)
        )
        return Trained(error, loss, time.perf_counter() - started)


class TruthTable:
    """`truth.csv`: a row for each network and seed that has been trained."""

    def __init__(self, path: Path, space: SearchSpace) -> None:
        """Open or start the file. Raises UserError where it is of another space."""
        self._space = space
        self._file = CsvLog(path, (*architecture_row.columns(space), "seed", "error", "loss", "seconds"))

    def append(self, job: Job, trained: Trained) -> None:
        """Add a row; it is on the disk when this returns."""
        cells = architecture_row.to_cells(self._space, job.architecture)
        result = dataclasses.asdict(trained) | {"seconds": round(trained.seconds, 1)}
        self._file.append({**cells, "seed": job.seed, **result})

    def read(self) -> dict[Job, Trained]:
        """All rows. Raises UserError for one that this space cannot have, or that is there twice."""
        found: dict[Job, Trained] = {}
        for number, row in enumerate(self._file.rows(), start=2):
            try:
                job, trained = self._parse(row)
                if job in found:
                    raise ValueError(f"{job} is there twice")
            except ValueError as error:
                raise UserError(
                    f"{self._file.path}, line {number}: {error}; delete the line and the same command "
                    "trains that network again"
                ) from None
            found[job] = trained
        return found

    def _parse(self, row: dict[str, str]) -> tuple[Job, Trained]:
        job = Job(int(row["seed"]), architecture_row.from_cells(self._space, row))
        trained = Trained(number_in(row, "error"), float(row["loss"]), number_in(row, "seconds"))
        if not 0 <= trained.error <= 1:
            raise ValueError(f"error is {trained.error}, not between 0 and 1")
        return job, trained


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """N networks trained on their own. trainings: accuracies [N, 2], NaN where a network was trained once."""

    architectures: list[Architecture]
    trainings: NDArray[np.float64]

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Mean of a network's trainings, [N], without what the second seed adds to all alike."""
        return np.nanmean(self.trainings - [0.0, self.shift], axis=1)

    @property
    def shift(self) -> float:
        """By how much second trainings are better than first ones, in the mean; 0 where there are not two."""
        return float(np.mean(self.twice[:, 1] - self.twice[:, 0])) if len(self.twice) > 1 else 0.0

    @property
    def twice(self) -> NDArray[np.float64]:
        """The accuracies of those that were trained twice, [M, 2]."""
        return self.trainings[np.isfinite(self.trainings).all(axis=1)]

    @property
    def noise(self) -> float | None:
        """Standard deviation of a training; None where fewer than two were trained twice."""
        return training_noise(*self.twice.T) if len(self.twice) > 1 else None

    @property
    def unsure(self) -> NDArray[np.float64] | None:
        """Standard deviation of `accuracy`, [N]; None where `noise` is."""
        counts = np.isfinite(self.trainings).sum(axis=1)
        return None if self.noise is None else self.noise / np.sqrt(counts)


def truth_of(jobs: Sequence[Job], trained: Mapping[Job, Trained], first_seed: int) -> Truth:
    """The trainings from `first_seed` and from the next one, by network."""
    accuracies = {job: 1 - trained[job].error for job in jobs}
    networks = [job.architecture for job in jobs if job.seed == first_seed]
    both = [[accuracies.get(Job(first_seed + n, network), math.nan) for n in (0, 1)] for network in networks]
    return Truth(networks, np.array(both))


def planned(project: Project, *, networks: int, repeated: int, seed: int) -> list[Job]:
    """The trainings of a study: `networks` over the whole range of MACs from `seed`, some from the next."""
    drawn = draw_over_cost(project.space, num_macs(project.to_spec), count=networks, seed=seed)
    again = spread(drawn, repeated)
    return [Job(seed, network) for network in drawn] + [Job(seed + 1, network) for network in again]


def read_truth(project: Project) -> Truth:
    """What the study of a work folder has found. Raises UserError where it has not ended."""
    step = project.workdir.step(STEP)
    step.require("study_ranking")
    settings = read_json(step.folder / "settings.json")["settings"]
    seed = settings["seed"]
    jobs = planned(project, networks=settings["networks"], repeated=settings["repeated"], seed=seed)
    return truth_of(jobs, TruthTable(step.folder / TABLE, project.space).read(), seed)


def train_missing(trainer: Trainer, table: TruthTable, jobs: Sequence[Job], *, processes: int) -> None:
    """Train what `table` does not have yet."""
    done = table.read()
    todo = [job for job in jobs if job not in done]
    if not todo:
        return
    results = run_jobs(trainer, todo, processes=processes, share_cores=True)
    bar = console.progress(len(jobs), "training networks on their own", done=len(jobs) - len(todo))
    with bar, contextlib.closing(results):
        for job, trained in results:
            table.append(job, trained)
            bar.note(f"{job}: accuracy {1 - trained.error:.3f}")
            bar.advance()


@functools.cache
def _prepare_once() -> None:
    """A worker is a process of its own, with memory and compiled programs to keep."""
    prepare()
