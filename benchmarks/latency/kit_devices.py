"""Kits measured on several devices, side by side: how well each is predicted, and how alike they are.

    python -m hytnas_jax.device_kit --workdir runs/cifar --output kit
    python -m hytnas_jax.device_kit --workdir runs/cifar --output kit-tflite --runtime tflite
    (cd kit && python measure.py --device ort1 && python measure.py --device ort2 --threads 2)
    (cd kit-tflite && python measure.py --device lite1 && python measure.py --device lite2 --threads 2)
    python -m benchmarks.latency.kit_devices --workdir runs/cifar --tables kit/*.csv kit-tflite/*.csv

The kits hold the same networks. Each device's predictor is evaluated on networks that it was not fitted on
(five folds), beside MACs and parameters alone; between two devices it is Spearman's rho of the measured
times.
"""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main
from hytnas_jax import console
from hytnas_jax.latency.kit_table import CONSTANT, read_tables
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs, num_parameters
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyPredictor
from proxies.ranking import spearman_rho


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare devices that kits have measured."""

    workdir: Path
    """The work folder that the kits were made from."""
    tables: tuple[Path, ...]
    """What measure.py has written, one file for each device."""
    name: str = "kit_devices"
    """Of the result."""


def benchmark(config: Config) -> dict[str, Any]:
    """Fits a predictor for each device, and prints the comparison."""
    project = open_project(Workdir(config.workdir))
    devices, times = {}, {}
    for path in config.tables:
        rows = read_tables([path], project.space)
        networks = [row.architecture for row in rows]
        latency_ms = np.array([row.timing.latency_ms for row in rows])
        predictor = LatencyPredictor.fit(feature_table(map(project.to_spec, networks)), latency_ms)
        baselines = {"MACs": num_macs(project.to_spec), "parameters": num_parameters(project.to_spec)}
        devices[path.stem] = {
            "device": dict(zip(CONSTANT, rows[0].device, strict=True)),
            "networks": len(rows),
            "range_ms": [float(latency_ms.min()), float(latency_ms.max())],
            "interval": float(np.median([row.timing.half_width for row in rows])),
            "regressor": predictor.name,
            **dataclasses.asdict(predictor.error),
            **{f"rho_{name}": spearman_rho(count(networks), latency_ms) for name, count in baselines.items()},
        }
        times[path.stem] = {
            network: row.timing.latency_ms for network, row in zip(networks, rows, strict=True)
        }
    between = {f"{a}, {b}": _alike(times[a], times[b]) for a, b in itertools.combinations(times, 2)}
    shown = ("spearman", "mape", "rho_MACs", "rho_parameters", "interval", "regressor")
    console.table([(name, *(found[key] for key in shown)) for name, found in devices.items()], ("", *shown))
    console.table(list(between.items()), ("devices", "rho"))
    return {"space": project.space.name, "devices": devices, "rho_between": between}


def _alike(one: dict, other: dict) -> float:
    shared = [network for network in one if network in other]
    return spearman_rho([one[network] for network in shared], [other[network] for network in shared])


if __name__ == "__main__":
    main(benchmark, Config)
