"""One way to have images, in a process of its own: python -m ... PHASE IMAGES WORK WAY SIDE STEPS.

Phase "first" begins a work folder and trains; "later" opens it again, as a later command does. Prints a line
of JSON: the peaks of memory in MB, seconds and paces.
"""

import dataclasses
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hytnas_jax.data import Dataset
from hytnas_jax.runtime.hardware import compute_dtype
from hytnas_jax.runtime.preparation import prepare_process
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.training.order import Order
from hytnas_jax.training.step import augmented_step, step_key
from hytnas_jax.workspace.project import Project, create_project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs
from supernet import training
from supernet.network import stand_alone

BATCH, VALIDATION = 32, 200
WARM = 10  # steps that are not timed
_SECONDS = 0.02  # between two looks at the memory


class Memory:
    """The most anonymous memory that this process has had since it was last asked."""

    def __init__(self) -> None:
        self._most = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def peak_mb(self) -> float:
        most, self._most = max(self._most, anonymous_mb()), 0.0
        return round(most, 1)

    def _look(self) -> None:
        while True:
            self._most = max(self._most, anonymous_mb())
            time.sleep(_SECONDS)


def anonymous_mb() -> float:
    """What this process holds now, without the pages of files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1e3


def first(images: Path, work: Path, way: Any, side: int, steps: int) -> dict[str, float]:
    """Begin the work folder, and train."""
    memory = Memory()
    flags = DataConfig(
        work, str(images), space="hybrid", resolutions=(side,), stream=way, max_validation=VALIDATION,
        mirror="on",
    )  # fmt: skip
    found = {"MB before": memory.peak_mb()}
    started = time.perf_counter()
    project, dataset = create_project(Workdir(work), flags, seed=0)
    seconds = time.perf_counter() - started
    count = sum(map(len, dataset.files.values()))
    found |= {"MB, first reading": memory.peak_mb(), "images/s, first reading": round(count / seconds, 1)}
    pace = train(project, dataset, steps)
    return {**found, "MB, training": memory.peak_mb(), "images/s, training": round(pace, 1)}


def later(images: Path, work: Path, way: Any, side: int, steps: int) -> dict[str, float]:
    """Open the images again."""
    memory, started = Memory(), time.perf_counter()
    dataset = open_project(Workdir(work)).dataset()
    assert dataset.are_streamed == (way == "always")
    return {"s, again": round(time.perf_counter() - started, 2), "MB, again": memory.peak_mb()}


def train(project: Project, dataset: Dataset, steps: int) -> float:
    """Images a second in the training of a small network, by a program that is the same for all images."""
    project = dataclasses.replace(project, mean=(0.5,) * 3, std=(0.25,) * 3)
    drawn = project.space.decode_all(project.space.sample(np.random.default_rng(0), 64))
    spec = project.to_spec(drawn[int(num_macs(project.to_spec)(drawn).argmin())])
    model, recipe = stand_alone(spec, dtype=compute_dtype()), training.Recipe(num_steps=steps)
    state = training.init(recipe, model.init(jax.random.key(0))[0])
    order = Order(0, len(dataset.train), BATCH, steps)
    step, started = augmented_step(project, model, recipe, dataset.train, order), 0.0
    for number in range(steps):
        if number == WARM:
            jax.block_until_ready(state)
            started = time.perf_counter()
        key = step_key(0, 0, number)
        state, _ = step(state, key, (number, 0), None, resolution=spec.resolution)
    jax.block_until_ready(state)
    return (steps - WARM) * BATCH / (time.perf_counter() - started)


if __name__ == "__main__":
    prepare_process()
    phase, given = {"first": first, "later": later}[sys.argv[1]], sys.argv[2:]
    print(json.dumps(phase(Path(given[0]), Path(given[1]), given[2], int(given[3]), int(given[4]))))
