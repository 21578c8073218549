"""A small work folder with every step in it: real networks with random weights, made-up numbers."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

from hytnas_jax.export import command
from hytnas_jax.files.atomic import write_json
from hytnas_jax.latency.measurements import Measurements
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.model_files.runtimes import run_model
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.training.weights import save_weights
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Step, Workdir
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyPredictor
from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec

SPACE_RESOLUTION = 8
ROLES = ("smallest error", "knee", "smallest latency_ms")
STEPS = ("supernet", "latency", "search", "retrain")


@pytest.fixture
def work_folder(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project of the digits in which the steps up to the named one have ended."""

    def make(last: str = "retrain") -> Project:
        project, _ = create_project(
            Workdir(tmp_path / "work"),
            DataConfig(tmp_path / "work", space="hybrid-small", resolutions=(SPACE_RESOLUTION,)),
            seed=0,
        )
        for name in STEPS[: STEPS.index(last) + 1] if last in STEPS else ():
            step = project.workdir.step(name)
            step.begin({"seed": 0, "initial": 8})
            step.finish(_MAKERS[name](project, step))
        return project

    return make


@pytest.fixture(scope="session", autouse=True)
def fitted_once() -> Iterator[None]:
    """Latency predictors of equal measurements are fitted once: cross-validating takes seconds each time."""
    known: dict[tuple[bytes, bytes], LatencyPredictor] = {}
    fit = LatencyPredictor.fit

    def fit_once(features: np.ndarray, latency_ms: np.ndarray) -> LatencyPredictor:
        key = (np.asarray(features).tobytes(), np.asarray(latency_ms).tobytes())
        if key not in known:
            known[key] = fit(features, latency_ms)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LatencyPredictor, "fit", staticmethod(fit_once))
        yield


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes ONNX Runtime's word for JAX's, which compiles each network for seconds."""

    def logits(spec: NetworkSpec, params: Tree, stats: Tree, images: np.ndarray) -> np.ndarray:
        return run_model(build_onnx(spec, params, stats), images)

    monkeypatch.setattr(command, "jax_outputs", logits)


def draw(project: Project, count: int) -> list[Architecture]:
    codes = np.unique(project.space.sample(np.random.default_rng(1), 4 * count), axis=0)
    return project.space.decode_all(codes[:: len(codes) // count][:count])


def _supernet(project: Project, step: Step) -> dict:
    lines = []
    for n in range(1, 301):
        loss, subnet_loss = 2.3 / n**0.3, 2.5 / n**0.28
        line = {"step": n - 1, "loss": loss, "accuracy": 1 - loss / 2.4, "gradient_norm": 1.0}
        lines.append({**line, "subnet_loss": subnet_loss, "subnet_accuracy": 1 - subnet_loss / 2.6})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (step.folder / "metrics.jsonl").write_text(text)
    return {
        "largest_accuracy": 0.97,
        "smallest_accuracy": 0.9,
        "random_accuracies": [0.95, 0.93],
        "steps": 300,
    }


def _latency(project: Project, step: Step) -> dict:
    measured = draw(project, 24)
    features = feature_table(project.to_spec(a) for a in measured)
    noise = np.random.default_rng(0).lognormal(0.0, 0.05, len(measured))
    latency_ms = (0.01 + features.sum(axis=1) / 4e6) * noise
    log = Measurements(step.folder / "measurements.csv", project.space)
    for architecture, ms in zip(measured, latency_ms.tolist(), strict=True):
        log.append(architecture, Timing(ms, 0.99 * ms, 1.01 * ms, 12))
    predictor = LatencyPredictor.fit(features, latency_ms)
    write_json(step.folder / "predictor.json", predictor.to_json())
    return {"spearman": predictor.error.spearman, "mape": predictor.error.mape}


def _search(project: Project, step: Step) -> dict:
    rng = np.random.default_rng(2)
    latency_ms = rng.uniform(0.02, 0.3, (2, 32))
    error = 0.02 + 0.002 / latency_ms + rng.exponential(0.05, (2, 32)) * [[0.4], [1.0]]
    for name, errors, times in zip(("evaluations.csv", "random.csv"), error, latency_ms, strict=True):
        with (step.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("index", "error", "latency_ms"))
            writer.writerows(zip(range(32), errors, times, strict=True))
    front = [
        i for i in range(32) if not ((error[0] < error[0, i]) & (latency_ms[0] < latency_ms[0, i])).any()
    ]
    objectives = (("error", ""), ("latency_ms", "ms"))
    write_json(
        step.folder / "pareto.json",
        {
            "objectives": [{"name": n, "unit": u, "direction": "min"} for n, u in objectives],
            "reference": {"error": 0.5, "latency_ms": 0.4},
            "behind": [],
            "architectures": [
                {
                    "values": {"error": error[0, i], "latency_ms": latency_ms[0, i]},
                    "extrapolated": i == front[0],
                }
                for i in front
            ],
        },
    )
    errors = {"first_error": 0.083, "held_out_error": 0.037}
    measured = {"networks": 30, "unused": 2, "recalibrations": 2, **errors}
    return {"evaluations": 32, "front": len(front), "measured": measured}


def _retrain(project: Project, step: Step) -> dict:
    for index, (architecture, role) in enumerate(zip(draw(project, 3), ROLES, strict=True)):
        spec = project.to_spec(architecture)
        params, stats = stand_alone(spec).init(jax.random.key(index))
        folder = step.folder / architecture.name
        write_json(
            folder / "architecture.json",
            {
                **project.space.to_json(architecture),
                "network": spec.to_json(),
                "role": role,
                "search": {"error": 0.05 + 0.02 * index, "latency_ms": 0.12 - 0.03 * index},
                "number": index + 1,
                "gain": None,
                "expected": {"error": 0.03, "low": 0.02, "high": 0.05, "networks": index} if index else None,
            },
        )
        save_weights(folder / "weights.npz", params, stats)
        write_json(
            folder / "result.json",
            {
                "validation_error_expected": 0.03 if index else None,
                "validation_error_retrained": 0.02 + 0.015 * index,
                "test_error": 0.025 + 0.01 * index,
                "test_images": 360,
                "epochs": 20,
                "init": "supernet",
            },
        )
    return {"stopped": "no further network is begun"}


_MAKERS: dict[str, Callable[[Project, Step], dict]] = {
    "supernet": _supernet,
    "latency": _latency,
    "search": _search,
    "retrain": _retrain,
}
