"""Which learning rate trains a supernet best?

    python -m benchmarks.supernet.rates --workdir runs/digits --name supernet_rates_digits

For a work folder of a built-in space that `train_supernet` has begun: a supernet is trained with each rate,
on the same images, in a work folder of its own (`supernet_rates/RATE`), and evaluates the networks that
`study_ranking` draws. The same command goes on.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.ranking_supernets import evaluate, trained
from benchmarks.accuracy.study_networks import study_networks
from benchmarks.common import main, require_at_least
from hytnas_jax import console
from hytnas_jax.accuracy.sample import spread
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.space_memory import num_weights
from supernet.training import supernet_rate


@dataclasses.dataclass(frozen=True)
class Config:
    """Train supernets with several learning rates."""

    workdir: Path
    """A work folder that train_supernet has begun; its supernet is not read."""
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    """Peak learning rates."""
    epochs: int = 30
    """How many times each training image is seen."""
    networks: int = 40
    """By how many of the forty networks a supernet is compared, evenly spread over their MACs."""
    name: str = "supernet_rates"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Train what is missing, and say how good the subnets are."""
    require_at_least(config, {"epochs": 1, "networks": 2})
    project = open_project(Workdir(config.workdir))
    networks, found = spread(study_networks(project), config.networks), {}
    for rate in config.rates:
        folder = config.workdir / "supernet_rates" / f"{rate:g}"
        own = trained(project, folder, learning_rate=rate, epochs=config.epochs)
        values = evaluate(own, networks)
        found[f"{rate:g}"] = {
            "error": float(1 - np.mean(values["accuracy"])),
            "loss": float(-np.mean(values["loss"])),
            **own.workdir.step("supernet").done()["summary"],
        }
    rows = [(rate, f["error"], f["loss"], 1 - f["largest_accuracy"]) for rate, f in found.items()]
    console.table(rows, ("learning rate", "mean error", "mean loss", "largest network's error"))
    weights = num_weights(project.space)
    return {
        "data": project.source,
        "space": project.space.name,
        "weights": weights,
        "rate by rule": supernet_rate(weights),
        "networks": [network.name for network in networks],
        "found": found,
    }


if __name__ == "__main__":
    main(benchmark, Config)
