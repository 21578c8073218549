"""Which recipe trains stand-alone networks best by the same number of images?

    python -m benchmarks.accuracy.recipes --workdir runs/digits --steps 337 --name recipes_digits

For a work folder that `train_supernet` has begun: networks evenly spread over log MACs are trained from
random weights by each of the `RECIPES`, with the same number of images. A network's gradient is one
compiled program, which all recipes and seeds share. Every training is a row of `recipes/<steps>x<batch>.csv`
in the work folder; the same command goes on. The error is that on the validation split.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.accuracy.recipes.recipe import RECIPES
from benchmarks.accuracy.recipes.training import Trainee
from benchmarks.accuracy.study_networks import study_networks
from benchmarks.common import main, require_at_least
from hytnas_jax import console
from hytnas_jax.accuracy.sample import spread
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.runtime import compiling
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.architecture import Architecture
from supernet.errors import UserError

COLUMNS = ("recipe", "network", "seed", "error", "loss", "cpu_seconds")


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the same networks by several recipes."""

    workdir: Path
    """A work folder that train_supernet has begun; its supernet is not read."""
    steps: int = 337
    """Steps of a training; a recipe of half the batch takes twice as many."""
    batch_size: int = 64
    """Images in a step."""
    networks: int = 8
    """How many networks."""
    seeds: int = 1
    """Trainings of each network by each recipe."""
    only: tuple[str, ...] = ()
    """Recipes, by name; all of them if not given."""
    name: str = "recipes"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Train what is missing, and say how good the networks are by each recipe."""
    require_at_least(config, {"steps": 10, "batch_size": 2, "networks": 2, "seeds": 1})
    for name in set(config.only) - RECIPES.keys():
        raise UserError(f"--only {name!r}: no such recipe; there are: {', '.join(map(repr, RECIPES))}")
    project = open_project(Workdir(config.workdir))
    networks = spread(study_networks(project), config.networks)
    folder = project.workdir.path / "recipes"
    log = CsvLog(folder / f"{config.steps}x{config.batch_size}.csv", COLUMNS)
    train_missing(project, networks, config, log)
    rows = [row for row in log.rows() if row["recipe"] in chosen(config)]
    found = {name: summary([row for row in rows if row["recipe"] == name]) for name in chosen(config)}
    cells = [(name, *values.values()) for name, values in found.items()]
    console.table(cells, ("recipe", "error", "its standard error", "loss", "CPU s"))
    return {
        "data": project.source,
        "space": project.space.name,
        "networks": [network.name for network in networks],
        "recipes": {name: dataclasses.asdict(RECIPES[name]) for name in chosen(config)},
        "found": found,
        "trainings": rows,
    }


def chosen(config: Config) -> tuple[str, ...]:
    """The names of the recipes asked for."""
    return config.only or tuple(RECIPES)


def summary(rows: list[dict[str, str]]) -> dict[str, float | None]:
    """Mean error, its standard error from what seeds do, mean loss, CPU seconds of a training."""
    errors, losses, seconds = (np.array([float(row[c]) for row in rows]) for c in COLUMNS[3:])
    names = [row["network"] for row in rows]
    within = [
        np.var(errors[[n == name for n in names]], ddof=1) for name in set(names) if names.count(name) > 1
    ]
    noise = float(np.sqrt(np.mean(within) / len(rows))) if within else float("nan")
    return {
        "error": float(errors.mean()),
        "standard_error": None if np.isnan(noise) else noise,
        "loss": float(losses.mean()),
        "cpu_seconds": float(seconds.mean()),
    }


def train_missing(project: Project, networks: list[Architecture], config: Config, log: CsvLog) -> None:
    """Network after network, since compiling one takes as long as some trainings."""
    have = {(row["recipe"], row["network"], int(row["seed"])) for row in log.rows()}
    jobs = [
        (network, name, seed)
        for network in networks
        for seed in range(config.seeds)
        for name in chosen(config)
        if (name, network.name, seed) not in have
    ]
    if not jobs:
        return
    dataset = project.dataset()
    with console.progress(jobs, "training", apart=compiling.seconds) as bar:
        trainee = None
        for network, name, seed in bar:
            if trainee is None or trainee.network is not network:
                jax.clear_caches()
                trainee = Trainee(project, dataset, network)
            started = time.process_time()
            error, loss = trainee.train(RECIPES[name], seed, steps=config.steps, batch_size=config.batch_size)
            seconds = round(time.process_time() - started, 2)
            values = (name, network.name, seed, error, loss, seconds)
            log.append(dict(zip(COLUMNS, values, strict=True)))
            bar.note(f"{name}: error {error:.4f}")


if __name__ == "__main__":
    main(benchmark, Config)
