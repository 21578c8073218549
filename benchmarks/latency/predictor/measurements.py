"""Networks of `hybrid`, measured under two runtimes of this machine: what `latency.predictor` is
evaluated on.

The measurements lie in `results/latency_predictor/`, a CSV file for each device as `measure_latency` writes
them, and are taken once: delete the folder to measure anew. A measurement that was cut goes on.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS
from hytnas_jax import console
from hytnas_jax.files.atomic import write_json
from hytnas_jax.latency.measurements import Measurements
from hytnas_jax.latency.sample import draw_networks
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.model_files.tflite_graph import build_tflite
from hytnas_jax.on_device.measure import time_models
from hytnas_jax.runtime.environment import environment, package_version
from proxies.latency.predictor import HeldOutError, held_out_error
from supernet.architecture import Architecture
from supernet.network_spec import NetworkSpec
from supernet.spaces import built_in_space

FOLDER = RESULTS / "latency_predictor"
RESOLUTION = 96
SPACE = built_in_space("hybrid").with_resolutions([RESOLUTION])
NUM_NETWORKS, NUM_REPEATED = 300, 40
TOLERANCE, SECONDS = 0.02, 0.4
# One thread each. The graphs are written from the same operations, with the same random weights.
DEVICES: dict[str, Callable[[NetworkSpec], bytes]] = {"onnxruntime": build_onnx, "litert": build_tflite}


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """What one device takes for the networks [N].

    `half_width`: mean half of the timings' 95% intervals, as a fraction; `again`: the first networks'
    latency in a second session, as if it were a prediction of the first: no predictor can do better.
    """

    latency_ms: np.ndarray
    half_width: float
    again: HeldOutError


def to_spec(architecture: Architecture) -> NetworkSpec:
    """Ten classes, colour images."""
    return SPACE.network_spec(architecture, num_classes=10, channels=3)


def networks() -> list[Architecture]:
    """The networks [N], drawn uniformly."""
    return draw_networks(SPACE, NUM_NETWORKS, 0)


def measure() -> dict[str, Measured]:
    """Measures what is not yet measured, some minutes in all, and reads it back by device."""
    return {device: _measure_device(device) for device in DEVICES}


def _measure_device(device: str) -> Measured:
    drawn = networks()
    latency_ms, half_width = _session(device, drawn, FOLDER / f"{device}.csv")
    again, _ = _session(device, drawn[:NUM_REPEATED], FOLDER / f"{device}_again.csv")
    return Measured(latency_ms, half_width, held_out_error(again, latency_ms[:NUM_REPEATED]))


def _session(device: str, drawn: Sequence[Architecture], path: Path) -> tuple[np.ndarray, float]:
    """Milliseconds [N] in the order of `drawn`, and their mean half width."""
    log = Measurements(path, SPACE)
    done = log.read()
    missing = [architecture for architecture in drawn if architecture not in done]
    if missing:
        started, load = time.perf_counter(), os.getloadavg()[0]
        build = DEVICES[device]
        with console.progress(len(missing), path.stem) as bar:
            models = (build(to_spec(architecture)) for architecture in missing)
            for index, timing in time_models(models, tolerance=TOLERANCE, seconds=SECONDS):
                log.append(missing[index], timing)
                bar.advance()
        session = {
            "networks": len(missing),
            "seconds": time.perf_counter() - started,
            # Processes that wanted a core, this one and others: on `cores` cores.
            "load_average": [load, os.getloadavg()[0]],
            "ai_edge_litert": package_version("ai-edge-litert"),
            "environment": environment(),
        }
        write_json(path.with_suffix(".json"), session)
        done = log.read()
    timings = [done[architecture] for architecture in drawn]
    return np.array([t.latency_ms for t in timings]), float(np.mean([t.half_width for t in timings]))
