"""Trains and measures for `front_worth`: a training is a row of `front_worth/trainings.csv`, a network's
latency one of `front_worth/this-machine.csv`.

Letters: T test images.
"""

import contextlib
import dataclasses
import functools
import io
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from benchmarks.search.front_worth.sets import Job, Network
from hytnas_jax import console
from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.latency.kit_table import NEEDED, read_measurements
from hytnas_jax.runtime import compiling
from hytnas_jax.study_efficiency.measuring import measure_here
from hytnas_jax.study_efficiency.subjects import Subject
from hytnas_jax.training.evaluation_images import images_for
from hytnas_jax.training.stand_alone import Schedule, train_alone
from hytnas_jax.training.supernet import shared_weights
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec

TABLE, LATENCIES = "trainings.csv", "this-machine.csv"
COLUMNS = (
    "network",
    "start",
    "seed",
    "validation_error",
    "test_error",
    "cpu_seconds",
    "compiling_seconds",
    "test_wrong",
)
MEASURED_SECONDS = 0.5  # for each network
Key = tuple[str, str, int]


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
    """A training that has ended. wrong: bool [T], the test images that it takes for another class.
    compiling_seconds are of the wall clock, and in cpu_seconds too."""

    validation_error: float
    wrong: np.ndarray
    cpu_seconds: float
    compiling_seconds: float


class Trainings:
    """The table of trainings, and the means to add to it.

    `done` has all of them. A row says of each test image whether it was wrong, as the bits of a hexadecimal
    number: so images can be resampled later, and a row is there whole or not at all.
    """

    def __init__(self, project: Project, folder: Path, schedule: Schedule) -> None:
        self._project, self._folder, self._schedule = project, folder, schedule
        self._log = CsvLog(folder / TABLE, COLUMNS)
        self._compiled: str | None = None
        images = project.workdir.step("data").done()["summary"]["test"]
        self.done = {
            (row["network"], row["start"], int(row["seed"])): Trained(
                float(row["validation_error"]),
                to_bools(row["test_wrong"], images),
                float(row["cpu_seconds"]),
                float(row["compiling_seconds"]),
            )
            for row in self._log.rows()
        }

    def missing(self, jobs: Iterable[Job]) -> list[Job]:
        """Those that are not done, each once, all of a network after one another: it is compiled once."""
        todo = {job.key: job for job in jobs if job.key not in self.done}
        order = {name: place for place, name in enumerate(dict.fromkeys(name for name, _, _ in todo))}
        return sorted(todo.values(), key=lambda job: order[job.network.name])

    def train(self, job: Job) -> Trained:
        """What became of a job, trained now unless it has been; `train_alone` as `retrain` calls it."""
        if job.key not in self.done:
            folder = self._folder / "-".join(map(str, job.key))
            shutil.rmtree(folder, ignore_errors=True)  # of a cut training, whose seconds nobody knows
            self._clear_for(job.network.name)
            dataset, start = self._dataset, None
            if job.start == "supernet":
                start = self._shared(job.network.architecture)
            before, started = compiling.seconds(), time.process_time()
            with contextlib.redirect_stdout(io.StringIO()):
                weights = train_alone(
                    self._project,
                    dataset,
                    job.network.spec,
                    dataclasses.replace(self._schedule, seed=job.seed),
                    start=start,
                    folder=folder,
                    label=str(job.key),
                )
            seconds = time.process_time() - started
            trained = Trained(
                float(np.mean(self._wrong(job.network.spec, weights, dataset.validation))),
                self._wrong(job.network.spec, weights, dataset.test),
                round(seconds, 2),
                round(compiling.seconds() - before, 2),
            )
            self._append(job, trained)
            shutil.rmtree(folder)
        return self.done[job.key]

    def train_all(self, jobs: Sequence[Job]) -> None:
        """Train what is missing, under one progress bar."""
        todo = self.missing(jobs)
        if not todo:
            return
        with console.progress(todo, "training") as bar:  # compiling, network after network, is of its pace
            for job in bar:
                trained = self.train(job)
                name, start, seed = job.key
                bar.note(f"{name} · {start} · seed {seed}: error {trained.validation_error:.4f}")

    def costs(self) -> dict[str, float]:
        """CPU seconds of training a network once, by name: the most that one of its trainings took, which is
        the one that compiled its program for the others too."""
        most: dict[str, float] = {}
        for (name, _, _), trained in self.done.items():
            most[name] = max(most.get(name, 0.0), trained.cpu_seconds)
        return most

    def _append(self, job: Job, trained: Trained) -> None:
        values = (
            *job.key,
            trained.validation_error,
            float(trained.wrong.mean()),
            trained.cpu_seconds,
            trained.compiling_seconds,
            to_hex(trained.wrong),
        )
        self._log.append(dict(zip(COLUMNS, values, strict=True)))
        self.done[job.key] = trained

    def _wrong(self, spec: NetworkSpec, weights: tuple[Tree, Tree], images: LabelledImages) -> np.ndarray:
        """Which images a trained network takes for another class, bool [N]."""
        evaluated = images_for(self._project, self._dataset.train, images, spec.resolution)
        named = naming(spec)(*weights, evaluated.images)
        return (np.asarray(named) != evaluated.targets["label"])[evaluated.real]

    def _clear_for(self, name: str) -> None:
        """Before another network: what was compiled for the one before is of no use any more."""
        if name != self._compiled:
            jax.clear_caches()
            self._compiled = name

    @functools.cached_property
    def _dataset(self) -> Dataset:
        return self._project.dataset()

    @functools.cached_property
    def _shared(self) -> Callable[..., Tree]:
        return shared_weights(self._project)


def latencies(folder: Path, networks: Mapping[str, Network]) -> dict[str, float]:
    """Milliseconds of each network on this machine, in ONNX Runtime on one thread; measured once.

    Raises UserError where the table was begun on another processor, or is damaged.
    """
    path = folder / LATENCIES
    subjects = [Subject(network.name, "networks", network.spec) for network in networks.values()]
    measure_here(
        subjects,
        path,
        parts=["networks"],
        identity="front_worth",
        runtime="onnxruntime",
        seconds=MEASURED_SECONDS,
    )
    rows = read_measurements(path, NEEDED, "this benchmark")
    found = {row.cells["model"]: float(row.cells["latency_ms"]) for row in rows}
    return {name: found[name] for name in networks}


@functools.lru_cache(maxsize=1)
def naming(spec: NetworkSpec) -> Callable[..., jax.Array]:
    """`named(params, stats, images [B, N, R, R, C]) -> classes [B, N]`, compiled once for all trainings."""
    model = stand_alone(spec)

    def named(params: Tree, stats: Tree, images: jax.Array) -> jax.Array:
        logits = jax.lax.map(lambda x: model.apply(params, stats, x, train=False)[0], images)
        return logits.argmax(-1)

    return jax.jit(named)


def to_hex(bits: np.ndarray) -> str:
    """bool [N] as a hexadecimal number of N bits, filled up to bytes."""
    return np.packbits(bits).tobytes().hex()


def to_bools(text: str, count: int) -> np.ndarray:
    """The inverse of `to_hex` for N = `count`. Raises UserError for a text that is not as long."""
    data = np.frombuffer(bytes.fromhex(text), np.uint8)
    if len(data) != -(-count // 8):
        raise UserError(
            f"{TABLE}: a row is of {8 * len(data)} test images or a few less, and there are {count}; "
            "delete the folder to train anew"
        )
    return np.unpackbits(data, count=count).astype(bool)
