"""What helps where images are few: augmentation, and a supernet begun with another work folder's?

    python -m benchmarks.accuracy.few_images --workdir runs/few --data person.npz --init-from runs/cifar24

The work folder is begun with these images and this space. From the training split, few images are
drawn, others for each seed. Networks of the cheaper half of the space, by log MACs, are trained on them by
the same number of steps, from random weights by each augmentation, and from the weights of a supernet that
was trained on the same few images: one from random weights, one begun with the supernet of --init-from.
Every training is a row of `few_images/<resolution>-<steps>x<batch>.csv` in the work folder; the same
command goes on. The error is that on the whole validation split.
"""

import time
from typing import Any

import numpy as np

from benchmarks.accuracy.few_images.augmented import KINDS
from benchmarks.accuracy.few_images.config import Config
from benchmarks.accuracy.few_images.training import HOWS, PLAIN, SUPERNETS, WAYS, Trainee, draw
from benchmarks.accuracy.study_networks import study_networks
from benchmarks.common import main, require_at_least
from hytnas_jax import console
from hytnas_jax.accuracy.sample import spread
from hytnas_jax.data import Dataset
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.runtime import compiling
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.architecture import Architecture

COLUMNS = ("images", "seed", "network", "way", "error", "loss", "cpu_seconds")


def benchmark(config: Config) -> dict[str, Any]:
    """Train what is missing, and say what each way is worth beside the plain one."""
    least = {"networks": 1, "seeds": 2, "steps": 10, "batch_size": 2, "resolution": 8}
    require_at_least(config, {**least, "supernet_seeds": 2, "supernet_steps": 10})
    project, dataset = create_project(
        Workdir(config.workdir),
        DataConfig(config.workdir, data=config.data, space=config.space, resolutions=(config.resolution,)),
        seed=0,
    )
    drawn = study_networks(project)
    # Of the cheaper half, which is what few images call for; the cheapest learns next to nothing.
    networks = spread(drawn[: len(drawn) // 2], config.networks + 1)[1:]
    table = f"{config.resolution}-{config.steps}x{config.batch_size}.csv"
    log = CsvLog(project.workdir.path / "few_images" / table, COLUMNS)
    train_missing(project, dataset, networks, config, log)
    found = {
        size: {way: summary(log.rows(), size, way) for way in ways(config, size)} for size in config.sizes
    }
    begun = {size: worth_of_begun(log.rows(), size) for size in found if ways(config, size) == WAYS}
    for size, values in found.items():
        console.say(f"\n{size} images")
        cells = [(way, *value.values()) for way, value in values.items()]
        console.table(cells, ("way", "error", "less than plain", "its standard error"))
        cells = [(way, *value.values()) for way, value in begun.get(size, {}).items()]
        if cells:
            console.table(cells, ("way", "error", "less than not begun", "its standard error"))
    return {
        "data": project.source,
        "space": project.space.name,
        "networks": [network.name for network in networks],
        "found": found,
        "begun_beside_not": begun,
        "trainings": log.rows(),
    }


def ways(config: Config, size: int, seed: int = 0) -> tuple[str, ...]:
    """What is compared on so many images, in that draw."""
    has_supernets = config.init_from is not None and size in config.supernet_sizes
    return WAYS if has_supernets and seed < config.supernet_seeds else KINDS


def worth_of_begun(rows: list[dict[str, str]], size: int) -> dict[str, dict[str, float]]:
    """`summary` of each way from a begun supernet, beside the same from one that was not."""
    none, begun = (tuple(f"{weights}, {how}" for how in HOWS) for weights in SUPERNETS)
    return {way: summary(rows, size, way, beside=other) for way, other in zip(begun, none, strict=True)}


def summary(rows: list[dict[str, str]], size: int, way: str, *, beside: str = PLAIN) -> dict[str, float]:
    """Mean error; how much less than by the way `beside`; that one's standard error over seeds.

    A seed's images are the same for all ways, so that differences are taken within a seed.
    """

    def of(way: str) -> dict[str, np.ndarray]:
        chosen = [row for row in rows if (row["images"], row["way"]) == (str(size), way)]
        seeds = sorted({row["seed"] for row in chosen})
        return {s: np.array([float(row["error"]) for row in chosen if row["seed"] == s]) for s in seeds}

    errors, others = of(way), of(beside)
    gains = np.array([others[seed].mean() - errors[seed].mean() for seed in errors])
    return {
        "error": float(np.mean([values.mean() for values in errors.values()])),
        "gain": float(gains.mean()),
        "standard_error": float(gains.std(ddof=1) / np.sqrt(len(gains))),
    }


def train_missing(
    project: Project, dataset: Dataset, networks: list[Architecture], config: Config, log: CsvLog
) -> None:
    """Seed after seed, so that what there is after a while is balanced."""
    have = {(row["images"], row["seed"], row["network"], row["way"]) for row in log.rows()}
    jobs = [
        (seed, size, network, way)
        for seed in range(config.seeds)
        for network in networks
        for size in config.sizes
        for way in ways(config, size, seed)
        if (str(size), str(seed), network.name, way) not in have
    ]
    trainees = {network.name: Trainee(project, dataset, network, config) for network in networks}
    with console.progress(jobs, "training", apart=compiling.seconds) as bar:
        for seed, size, network, way in bar:
            few = draw(dataset.train, size, seed)
            started = time.process_time()
            error, loss = trainees[network.name].by(way, few)
            seconds = round(time.process_time() - started, 2)
            values = (size, seed, network.name, way, error, loss, seconds)
            log.append(dict(zip(COLUMNS, values, strict=True)))
            bar.note(f"{way}: error {error:.4f}")


if __name__ == "__main__":
    main(benchmark, Config)
