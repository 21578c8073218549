"""Is it worth measuring during a search what it evaluates, and fitting the latency predictor again?

    python -m benchmarks.search.recalibration --workdir runs/digits

In the work folder train_supernet has ended. For each number of networks that measure_latency is given, and
each seed, three searches: `kept` measures nothing on the way, `recalibrated` is the default, `always` fits
again after each batch. At the end all fronts' networks are measured in one run, with networks of
measure_latency's among them, by which the machine's shift is divided out; predicted latencies are compared
with that. Random search is left out, so that seconds are of the search.

Everything lies in `<workdir>/benchmark_recalibration/`; the same command goes on.
"""

import contextlib
import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.common import main, require_at_least, show
from hytnas_jax import console, measure_latency, search
from hytnas_jax.latency.measurements import measured_networks
from hytnas_jax.mobo.pareto import hypervolume
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.on_device.measure import time_models, to_check
from hytnas_jax.search.disagreement import Batch
from hytnas_jax.search.measured_log import MeasuredLog
from hytnas_jax.search.results import ParetoPoint, load_pareto
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.architecture import Architecture

VARIANTS = ("kept", "recalibrated", "always")
OBJECTIVES = ("error", "latency_ms")


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare searches that measure on the way with those that do not."""

    workdir: Path
    """A work folder in which train_supernet has ended."""
    networks: tuple[int, ...] = (64, 10)
    """What measure_latency is given: its default, and so few that the predictor is bad."""
    seeds: int = 3
    """Searches of each kind."""
    name: str = "search_recalibration"
    """Of the result file."""


@dataclasses.dataclass(frozen=True, eq=False)
class Search:
    """A search that has ended. shifts: how many times as long the machine took at each batch."""

    variant: str
    seed: int
    points: list[ParetoPoint]
    done: dict[str, Any]
    shifts: list[float]


def benchmark(config: Config) -> dict[str, Any]:
    """Search what is missing, measure the fronts, and report."""
    require_at_least(config, {"seeds": 1})
    project = open_project(Workdir(config.workdir))
    rows = []
    for networks in config.networks:
        folder = config.workdir / "benchmark_recalibration" / str(networks)
        base = copy_of(config.workdir, folder / "base", ("data", "supernet"))
        measure_latency.main(measure_latency.Config(base, networks=networks))
        searches = [
            searched(base, folder, variant, seed) for seed in range(config.seeds) for variant in VARIANTS
        ]
        step = Workdir(base).step("latency")
        says = step.done()["summary"]["mape"]
        rows += compared(project, searches, measured_networks(step, project.space), networks, says)
    show(rows)
    return {
        "data": project.source,
        "space": project.space.name,
        "rows": rows,
    }


def copy_of(source: Path, target: Path, steps: Sequence[str]) -> Path:
    """A work folder with these steps of another one."""
    if not target.exists():
        unfinished = target.with_name(f".{target.name}.tmp")
        shutil.rmtree(unfinished, ignore_errors=True)
        for step in steps:
            shutil.copytree(source / step, unfinished / step)
        shutil.copy(source / "workdir.json", unfinished)
        unfinished.rename(target)
    return target


def searched(base: Path, folder: Path, variant: str, seed: int) -> Search:
    """A search of this kind; the one that is there, if it is."""
    path = copy_of(base, folder / f"{variant}-{seed}", ("data", "supernet", "latency"))
    config = search.Config(
        path,
        objectives=OBJECTIVES,
        seed=seed,
        random_baseline=False,
        measure_batches=variant != "kept",
    )
    with contextlib.ExitStack() as stack:
        if variant == "always":
            stack.enter_context(mock.patch.object(Batch, "disagrees", return_value=True))
        search.main(config)
    project = open_project(Workdir(path))
    step = project.workdir.step("search")
    sample = measured_networks(project.workdir.step("latency"), project.space)
    log = step.folder / "measured.csv"
    sessions = MeasuredLog(log, project.space).sessions.values() if log.exists() else ()
    shifts = [session.shift(sample) for session in sessions]
    return Search(variant, seed, load_pareto(project), step.done(), shifts)


def compared(
    project: Project, searches: Sequence[Search], sample: dict[Architecture, Any], networks: int, says: float
) -> list[dict[str, Any]]:
    """A row for each search; `says` is what the first predictor says of its error."""
    again = to_check({network: timing.latency_ms for network, timing in sample.items()})
    queue = list(dict.fromkeys([*again, *(p.architecture for s in searches for p in s.points)]))
    measured_ms: dict[Architecture, float] = {}
    with console.progress(len(queue), "measuring the fronts") as bar:
        for index, timing in time_models(build_onnx(project.to_spec(network)) for network in queue):
            measured_ms[queue[index]] = timing.latency_ms
            bar.advance()
    shift = float(np.median([measured_ms[network] / sample[network].latency_ms for network in again]))
    measured_ms = {network: ms / shift for network, ms in measured_ms.items()}
    fronts = [
        np.array([(p.values["error"], measured_ms[p.architecture]) for p in s.points]) for s in searches
    ]
    corner = np.max(np.concatenate(fronts), axis=0)
    volumes = np.array([hypervolume(front, corner) for front in fronts])
    return [
        row(s, measured_ms, volume / volumes.max(), networks, says)
        for s, volume in zip(searches, volumes, strict=True)
    ]


def row(
    found: Search, measured_ms: dict[Architecture, float], volume: float, networks: int, says: float
) -> dict[str, Any]:
    """Errors are means of shares; `hypervolume` is of errors and measured latencies, the best search's 1."""
    predicted = np.array([point.values["latency_ms"] for point in found.points])
    measured = np.array([measured_ms[point.architecture] for point in found.points])
    on_the_way = found.done["summary"]["measured"] or {}
    return {
        "networks": networks,
        "first says": says,
        "search": found.variant,
        "seed": found.seed,
        "seconds": found.done["seconds"],
        "measured": on_the_way.get("networks", 0),
        "unused": on_the_way.get("unused", 0),
        "recalibrations": on_the_way.get("recalibrations", 0),
        "first errs": on_the_way.get("first_error"),
        "own errs": on_the_way.get("held_out_error"),
        "front": len(found.points),
        "front errs": float(np.mean(np.abs(predicted / measured - 1))),
        "front's worst": float(np.max(np.abs(predicted / measured - 1))),
        "hypervolume": volume,
        "shift from": min(found.shifts, default=None),
        "shift to": max(found.shifts, default=None),
    }


if __name__ == "__main__":
    main(benchmark, Config)
