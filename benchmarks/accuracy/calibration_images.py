"""How many training images do the BatchNorm statistics of a subnet need?

    python -m benchmarks.accuracy.calibration_images --workdir runs/cells --name calibration_images_cells

For a work folder in which `train_supernet` has ended. Random subnets are evaluated with statistics from so
many images. Beside the seconds that it takes stands what changes against most of them: the mean change of
error and loss, and Kendall's tau between both orders of the subnets.
"""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from benchmarks.common import main, require_at_least, show
from hytnas_jax import console
from hytnas_jax.training.evaluation_images import images_for
from hytnas_jax.training.supernet import load_supernet
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.supernet_accuracy import SupernetError
from supernet.architecture import Architecture


@dataclasses.dataclass(frozen=True)
class Config:
    """Evaluate random subnets of a trained supernet in several ways."""

    workdir: Path
    """A work folder in which train_supernet has ended."""
    images: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Numbers of training images; the others are compared with the largest."""
    subnets: int = 16
    """How many are evaluated, at the largest resolution."""
    seed: int = 0
    """Of the subnets."""
    name: str = "calibration_images"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """A row for each number of images."""
    require_at_least(config, {"subnets": 3, "seed": 0})
    project = open_project(Workdir(config.workdir))
    dataset, (model, params) = project.dataset(), load_supernet(project)
    resolution = max(project.space.resolution)
    space = project.space.with_resolutions([resolution])
    subnets = space.decode_all(space.sample(np.random.default_rng(config.seed), config.subnets))
    everything = images_for(project, dataset.train, dataset.validation, resolution)
    drawn = everything.calibration.reshape(-1, *everything.calibration.shape[2:])
    found: dict[int, tuple[float, np.ndarray]] = {}
    counts = sorted({min(count, len(drawn)) for count in config.images})
    with console.progress(len(counts) * config.subnets, "evaluating") as bar:
        for count in counts:
            images = everything._replace(calibration=drawn[None, :count])
            estimator = SupernetError(
                space,
                model,
                params,
                {resolution: images}.__getitem__,
                scoring=project.task.scoring,
                on_evaluated=bar.advance,
            )
            found[count] = evaluated(estimator, subnets)
    rows = [{"images": count, **beside(values, found[counts[-1]][1]), "seconds": round(seconds, 2)}
            for count, (seconds, values) in found.items()]  # fmt: skip
    show(rows)
    return {
        "data": project.source,
        "resolution": resolution,
        "validation": len(dataset.validation),
        "rows": rows,
    }


def evaluated(estimator: SupernetError, subnets: Sequence[Architecture]) -> tuple[float, np.ndarray]:
    """Seconds for a subnet, without the first, for which programs are compiled; errors and losses [A, 2]."""
    first = estimator.estimate(subnets[:1])
    started = time.perf_counter()
    rest = estimator.estimate(subnets[1:])
    seconds = (time.perf_counter() - started) / (len(subnets) - 1)
    both = (first, rest)
    return seconds, np.stack(
        [np.concatenate([e.values for e in both]), np.concatenate([e.details["loss"] for e in both])], axis=1
    )


def beside(values: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """How errors and losses [A, 2] differ from those with most images."""
    change = np.abs(values - reference).mean(axis=0)
    taus = [kendalltau(values[:, n], reference[:, n]).statistic for n in range(2)]
    return {
        "error changes by": round(float(change[0]), 4),
        "loss changes by": round(float(change[1]), 4),
        "tau of errors": round(float(taus[0]), 3),
        "tau of losses": round(float(taus[1]), 3),
        "spread of losses": round(float(reference[:, 1].std()), 4),
    }


if __name__ == "__main__":
    main(benchmark, Config)
