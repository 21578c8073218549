"""Fitting the predictor of a device from what a kit has measured there."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hytnas_jax import console
from hytnas_jax.device.kit_table import CONSTANT, FRONT, Measured, read_tables
from hytnas_jax.devices import QUANTITIES, device_step
from hytnas_jax.project import open_project
from hytnas_jax.workdir import Step, Workdir, command_line, write_json
from proxies.latency import MIN_NETWORKS, HeldOutError, LatencyPredictor, held_out_error
from proxies.latency_features import Features, feature_table

if TYPE_CHECKING:
    from hytnas_jax.fit_latency import Config

STRANGE = 2.0  # times as long, or as short, as networks like it let expect


def fit_latency(config: Config) -> None:
    """Fits, writes `devices/NAME`, and says how good the predictor is, on a front's networks too."""
    project = open_project(Workdir(config.workdir))
    step = device_step(project.workdir, config.device)
    rows = read_tables(config.measurements, project.space)
    contents = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in config.measurements)
    settings, inputs = {"measurements": contents}, {"data": project.done_id}
    if step.is_done and not step.was_made_with(settings, inputs):
        shutil.rmtree(step.folder)  # quickly made anew; a search that stands on it notices
    step.begin(settings, inputs)
    if not step.is_done:
        features = feature_table(project.to_spec(row.architecture) for row in rows)
        summary = _fit(step, rows, features) | {"energy": _fit_energy(step, rows, features)}
        step.finish(summary)
    _describe(config.device, step.done()["summary"])
    search = f"{command_line('search', config.workdir)} --device {config.device}"
    files = [step.folder / file for _, file in QUANTITIES.values()]
    console.wrote([path for path in files if path.exists()], search)


def _fit(step: Step, rows: Sequence[Measured], features: Features) -> dict[str, Any]:
    """Writes the predictor of all rows; how good it is, and how well one of the others predicts a front."""
    latency_ms = np.array([row.timing.latency_ms for row in rows])
    on_front = np.array([row.kit.startswith(FRONT) for row in rows])
    predictor = LatencyPredictor.fit(features, latency_ms)
    write_json(step.folder / QUANTITIES["latency_ms"][1], predictor.to_json())
    _warn_of_strange(rows, predictor(features), latency_ms)
    is_mixed = on_front.any() and not on_front.all()
    return {
        "device": dict(zip(CONSTANT, rows[0].device, strict=True)),
        "error": dataclasses.asdict(predictor.error),
        "front": _compare_front(rows, features, latency_ms, on_front) if is_mixed else None,
    }


def _fit_energy(step: Step, rows: Sequence[Measured], features: Features) -> dict[str, Any] | None:
    """Writes the predictor of energies where enough were measured, and says how good it is."""
    energies = np.array([np.nan if row.energy_mj is None else row.energy_mj for row in rows])
    known = np.isfinite(energies)
    if known.sum() < MIN_NETWORKS:
        if known.any():
            console.warn(f"{known.sum()} rows have an energy, and {MIN_NETWORKS} are needed to predict it")
        return None
    predictor = LatencyPredictor.fit(features[known], energies[known])
    write_json(step.folder / QUANTITIES["energy_mj"][1], predictor.to_json())
    return dataclasses.asdict(predictor.error)


def _compare_front(
    rows: Sequence[Measured], features: Features, latency_ms: np.ndarray, on_front: np.ndarray
) -> dict[str, Any]:
    """Predicted and measured milliseconds of a front's networks, by a predictor that has not seen them."""
    predicted = LatencyPredictor.fit(features[~on_front], latency_ms[~on_front])(features[on_front])
    measured = latency_ms[on_front]
    names = [row.architecture.name for row, is_front in zip(rows, on_front, strict=True) if is_front]
    return {
        "networks": names,
        "predicted_ms": predicted.tolist(),
        "measured_ms": measured.tolist(),
        "error": dataclasses.asdict(held_out_error(predicted, measured)),
    }


def _warn_of_strange(rows: Sequence[Measured], predicted: np.ndarray, latency_ms: np.ndarray) -> None:
    """Names the rows that no predictor of all can make sense of."""
    factor = latency_ms / predicted
    strange = np.flatnonzero(np.maximum(factor, 1 / factor) > STRANGE)
    for index in strange[:5]:
        console.warn(
            f"{rows[index].place}: {latency_ms[index]:.4g} ms, {factor[index]:.2g} times what networks like "
            "it let expect; measure it again"
        )
    if len(strange) > 5:
        console.warn(f"and {len(strange) - 5} more like these")


def _describe(device: str, summary: dict[str, Any]) -> None:
    on = ", ".join(f"{name} {value}" for name, value in summary["device"].items())
    for quantity, key in (("latency_ms", "error"), ("energy_mj", "energy")):
        if summary[key] is None:
            continue
        error = HeldOutError(**summary[key])
        console.say(
            f"{quantity}@{device} ({on}): on held-out networks Spearman {error.spearman:.3f}, mean error "
            f"{100 * error.mape:.1f} % ({error.num_networks} networks, each predicted without its fold)"
        )
    front = summary["front"]
    if front is None:
        return
    console.say("the front's networks, by a predictor that has not seen them:")
    rows = list(zip(front["networks"], front["predicted_ms"], front["measured_ms"], strict=True))
    console.table(rows, ("network", "predicted ms", "measured ms"))
    console.say(f"mean error {100 * front['error']['mape']:.1f} %")
