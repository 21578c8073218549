"""Are the networks of a front better than published ones and than random ones, by one recipe?

    python -m benchmarks.search.beside_published --workdir runs/cells --name beside_published_cells

For a work folder whose networks are retrained, whatever its task: each of them; MobileNetV3-small,
MobileNetV2-0.35 and MobileViT-XXS, with the same head; and for each of ours a random network of the space
with the nearest MACs. All are trained on the same images for as long. Ours and the random ones begin with
the supernet's weights, and once more with random ones, as published ones do (`--starts`).

Test quality against parameters and MACs. The test split is read for every training: nothing is chosen by it.
Every training is a row of `beside_published/trained.csv` in the work folder; the same command goes on.
"""

import contextlib
import dataclasses
import io
import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import main, require_at_least, save_plot
from hytnas_jax import console
from hytnas_jax.files.atomic import CsvLog, read_json
from hytnas_jax.retrain.command import shared_weights
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.runtime.preparation import prepare_process
from hytnas_jax.training.stand_alone import Schedule, examine, train_alone
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import complexity, num_macs
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec

PUBLISHED = ("mobilenetv3-small", "mobilenetv2-0.35", "mobilevit-xxs")
DRAWN = 20_000  # random networks, of which those nearest in MACs are taken
COLUMNS = ("kind", "network", "start", "seed", "error", "deviation", "details", "cpu_seconds")
COLOURS = {"ours": "#d62728", "random": "#7f7f7f", "published": "#1f77b4"}


@dataclasses.dataclass(frozen=True)
class Config:
    """Train ours, published and random networks of a work folder by one recipe."""

    workdir: Path
    """A work folder in which `retrain` has ended."""
    name: str
    """Of the result files."""
    seeds: int = 1
    """Trainings of each network."""
    starts: tuple[Literal["supernet", "scratch"], ...] = ("supernet", "scratch")
    """What ours and the random ones begin with: the supernet's weights, random ones, or once with each."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One training. kind: "ours", "random" or "published"; start: "supernet" or "scratch"."""

    kind: str
    spec: NetworkSpec
    architecture: Architecture | None
    start: str
    seed: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.kind, self.spec.name, self.start, str(self.seed))


def benchmark(config: Config) -> dict[str, Any]:
    require_at_least(config, {"seeds": 1})
    if not config.starts:
        raise UserError("--starts: none given; give supernet, scratch or both")
    prepare_process()
    project = open_project(Workdir(config.workdir))
    project.workdir.step("retrain").require("retrain")
    settings = read_json(project.workdir.path / "retrain" / "settings.json")["settings"]
    schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"], 0)
    log = CsvLog(project.workdir.path / "beside_published" / "trained.csv", COLUMNS)
    jobs = [job for seed in range(config.seeds) for job in jobs_of(project, config.starts, seed)]
    train_missing(project, jobs, schedule, log)
    rows = summarise(project, jobs, log.rows())
    headers = tuple(rows[0])
    console.table([tuple(row.values()) for row in rows], headers)
    save_plot(config.name, figure_of(rows, project.task.quality))
    return {
        "task": project.task.name,
        "data": project.source,
        "quality": project.task.quality,
        "epochs": schedule.epochs,
        "resolutions": list(project.space.resolution),
        "networks": rows,
    }


def jobs_of(project: Project, starts: Sequence[str], seed: int) -> list[Job]:
    """All trainings from one seed."""
    space = project.space
    kept = read_retrained(project.workdir.step("retrain"))
    ours = [space.from_json(network.architecture) for network in kept if "genes" in network.architecture]
    both = {"ours": ours, "random": random_like(project, ours)}
    jobs = [
        Job(kind, project.to_spec(member), member, start, seed)
        for kind, members in both.items()
        for member in members
        for start in starts
    ]
    side = max(space.resolution)
    published = [project.published(name, side) for name in PUBLISHED]
    return jobs + [Job("published", spec, None, "scratch", seed) for spec in published]


def random_like(project: Project, ours: Sequence[Architecture]) -> list[Architecture]:
    """For each of ours another network with the nearest MACs; no network twice."""
    macs_of = num_macs(project.to_spec)
    codes = project.space.sample(np.random.default_rng(7), DRAWN)
    pool = [a for a in project.space.decode_all(np.unique(codes, axis=0)) if a not in ours]
    macs, chosen = macs_of(pool), list[int]()
    for wanted in macs_of(ours):
        order = np.argsort(np.abs(np.log(macs / wanted)))
        chosen.append(next(int(place) for place in order if place not in chosen))
    return [pool[place] for place in chosen]


def train_missing(project: Project, jobs: Sequence[Job], schedule: Schedule, log: CsvLog) -> None:
    """Train what has no row yet."""
    done = {key_of(row) for row in log.rows()}
    todo = [job for job in jobs if job.key not in done]
    if not todo:
        return
    dataset, inherited = project.dataset(), shared_weights(project)
    with console.progress(todo, "training") as bar:
        for job in bar:
            started = time.process_time()
            folder = log.path.parent / "-".join(job.key)
            is_inherited = job.start == "supernet" and job.architecture is not None
            with contextlib.redirect_stdout(io.StringIO()):
                weights = train_alone(
                    project,
                    dataset,
                    job.spec,
                    dataclasses.replace(schedule, seed=job.seed),
                    start=inherited(job.architecture) if is_inherited else None,
                    folder=folder,
                    label=job.spec.name,
                )
            found, _ = examine(project, job.spec, weights, dataset.test)
            seconds, details = round(time.process_time() - started, 1), json.dumps(found.details)
            values = (*job.key, found.error, found.deviation, details, seconds)
            log.append(dict(zip(COLUMNS, values, strict=True)))
            shutil.rmtree(folder)
            jax.clear_caches()
            bar.note(f"{job.kind} {job.spec.name}, {job.start}: {1 - found.error:.3f}")


def key_of(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    return (row["kind"], row["network"], row["start"], row["seed"])


def summarise(
    project: Project, jobs: Iterable[Job], rows: Iterable[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """A row for each network and start: the mean over its seeds."""
    found: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        found.setdefault(key_of(row)[:3], []).append(row)
    table, beside = list[dict[str, Any]](), project.task.measure.beside
    for job in jobs:
        if job.seed:
            continue
        trainings, counts = found[job.key[:3]], complexity(job.spec)
        details = [json.loads(row["details"]) for row in trainings]
        also = [] if beside is None else beside[:1]
        qualities = [1 - float(row["error"]) for row in trainings]
        table.append(
            {
                "kind": job.kind,
                "network": job.spec.name,
                "start": job.start,
                project.task.quality: float(np.mean(qualities)),
                "deviation": float(np.mean([float(row["deviation"]) for row in trainings])),
                "between_seeds": float(np.std(qualities, ddof=1)) if len(qualities) > 1 else None,
                **{name: float(np.mean([each[name] for each in details])) for name in also},
                "parameters": counts.num_parameters,
                "macs": counts.num_macs,
                "seeds": len(trainings),
            }
        )
    return table


def figure_of(rows: Sequence[Mapping[str, Any]], quality: str) -> Figure:
    """Quality against parameters and against MACs; hollow marks began with random weights."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for panel, cost in zip(panels, ("parameters", "macs"), strict=True):
        for kind, start in dict.fromkeys((row["kind"], row["start"]) for row in rows):
            kept = [row for row in rows if (row["kind"], row["start"]) == (kind, start)]
            points = [row[cost] for row in kept], [row[quality] for row in kept]
            face = "none" if start == "scratch" else COLOURS[kind]
            panel.scatter(*points, facecolors=face, edgecolors=COLOURS[kind], label=f"{kind}, from {start}")
        panel.set(xscale="log", xlabel=cost)
    panels[0].set_ylabel(f"{quality}, test split")
    panels[1].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main(benchmark, Config)
