"""Does a reduced space keep what its proposal says? Networks of several spaces, measured side by side.

    python -m hytnas_jax.study_efficiency --workdir runs/efficiency
    python -m hytnas_jax.reduce_space --workdir runs/efficiency --max-latency-ms 15 --output runs/r.yaml
    python -m benchmarks.latency.reduced_space --workdir runs/efficiency \\
        --reduced runs/r.yaml --max-latency-ms 15

From the studied space, the proposal, and HyT-NAS's own reduced space as many networks each are drawn
uniformly and measured in turns here (ONNX Runtime, one thread). How many are within the limit, and how far
off was the predictor of the study, which saw networks of the whole space only?
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main
from hytnas_jax import console
from hytnas_jax.files.atomic import read_json
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.on_device.measure import time_models
from hytnas_jax.study_efficiency.plan import open_plan
from hytnas_jax.workspace.space_file import load_space
from hytnas_jax.workspace.workdir import Workdir
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyPredictor, held_out_error
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace

DEVICE = "here-onnxruntime"
PUBLISHED = "hytnas"


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure networks of a space, its reduction, and HyT-NAS's reduced space."""

    workdir: Path
    """Of the study."""
    reduced: Path
    """The space that reduce_space has written."""
    max_latency_ms: float
    """The limit by which it was reduced."""
    networks: int = 30
    """Of each space."""
    seed: int = 1
    """Of the draw: not the study's, whose networks the predictor knows."""
    name: str = "reduced_space"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measures, and prints the comparison."""
    plan, step = open_plan(Workdir(config.workdir))
    predictor = LatencyPredictor.from_json(read_json(step.folder / "predictors" / f"{DEVICE}.json"))
    spaces = [plan.space, load_space(str(config.reduced)), load_space(PUBLISHED)]
    drawn = {space.name: _draw(space, config, plan.num_classes, plan.channels) for space in spaces}
    specs = [spec for networks in drawn.values() for spec in networks]
    latency_ms = np.empty(len(specs))
    with console.progress(len(specs), "measuring") as bar:
        for index, timing in time_models(map(build_onnx, specs)):
            latency_ms[index] = timing.latency_ms
            bar.advance()
    found = {}
    for name, measured in zip(drawn, latency_ms.reshape(len(spaces), -1), strict=True):
        predicted = predictor.predict(feature_table(drawn[name]))
        found[name] = {
            "within": float(np.mean(measured <= config.max_latency_ms)),
            "predicted_within": float(np.mean(predicted <= config.max_latency_ms)),
            "median_ms": float(np.median(measured)),
            "range_ms": [float(measured.min()), float(measured.max())],
            "predictor": dataclasses.asdict(held_out_error(predicted, measured)),
        }
    shown = ("within", "predicted_within", "median_ms")
    console.table([(name, *(row[key] for key in shown)) for name, row in found.items()], ("space", *shown))
    return {"limit_ms": config.max_latency_ms, "networks": config.networks, "spaces": found}


def _draw(space: SearchSpace, config: Config, num_classes: int, channels: int) -> list[NetworkSpec]:
    codes = space.sample(np.random.default_rng(config.seed), config.networks)
    return [
        space.network_spec(a, num_classes=num_classes, channels=channels) for a in space.decode_all(codes)
    ]


if __name__ == "__main__":
    main(benchmark, Config)
