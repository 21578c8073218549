"""Fitting the predictor of a device from what a kit has measured there."""

import dataclasses
import functools
import hashlib
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hytnas_jax import console
from hytnas_jax.files.atomic import write_json
from hytnas_jax.fit_latency.config import Config
from hytnas_jax.latency.devices import device_names, device_step
from hytnas_jax.latency.kit_table import CONSTANT, FRONT, Measured, read_tables
from hytnas_jax.latency.measurements import load_predictor
from hytnas_jax.numbers import counted
from hytnas_jax.shared_flags.device_names import QUANTITIES
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from proxies.latency.features import Features, feature_table
from proxies.latency.predictor import MIN_NETWORKS, HeldOutError, LatencyPredictor, held_out_error
from supernet.errors import UserError

Make = Callable[[Features, np.ndarray], LatencyPredictor]
HERE = "here"  # this machine, as measure_latency has measured it
STRANGE = 2.0  # times as long, or as short, as networks like it let expect


def fit_latency(config: Config) -> None:
    """Fits, writes `devices/NAME`, and says how good the predictor is, on a front's networks too."""
    if config.device == HERE:
        raise UserError(f"--device {HERE}: is what --like calls this machine; give another name")
    project = open_project(Workdir(config.workdir))
    step = device_step(project.workdir, config.device)
    rows = read_tables(config.measurements, project.space)
    contents = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in config.measurements)
    settings, inputs = {"measurements": contents, "like": config.like}, {"data": project.done_id}
    make: Make = LatencyPredictor.fit
    if config.like is not None:
        other = like_step(project, config.like, device=config.device)
        inputs[other.name] = other.done()["id"]
        make = functools.partial(LatencyPredictor.transfer, load_predictor(other))
    if not (step.is_done and step.was_made_with(settings, inputs)):
        features = feature_table(project.to_spec(row.architecture) for row in rows)
        predictor, summary = _fit(rows, features, make)
        energy = _fit_energy(rows, features)
        shutil.rmtree(step.folder, ignore_errors=True)  # a search that stands on it notices
        step.begin(settings, inputs)
        for quantity, fitted in (("latency_ms", predictor), ("energy_mj", energy)):
            if fitted is not None:
                write_json(step.folder / QUANTITIES[quantity][1], fitted.to_json())
        step.finish(summary | {"energy": None if energy is None else dataclasses.asdict(energy.error)})
    _describe(config.device, step.done()["summary"])
    search = f"{command_line('search', config.workdir)} --device {config.device}"
    files = [step.folder / file for _, file in QUANTITIES.values()]
    console.wrote([path for path in files if path.exists()], search)


def like_step(project: Project, like: str, *, device: str) -> Step:
    """The step of the device that the predictor starts from. Raises UserError where it has not been made."""
    if like == device:
        raise UserError(f"--like {like}: give another device than --device")
    if like == HERE:
        step = project.workdir.step("latency")
        step.require("measure_latency")
        return step
    names = device_names(project.workdir)
    if like not in names:
        raise UserError(f"--like {like}: is none; known are {', '.join([*names, HERE])}")
    return device_step(project.workdir, like)


def _fit(rows: Sequence[Measured], features: Features, make: Make) -> tuple[LatencyPredictor, dict[str, Any]]:
    """The predictor of all rows; how good it is, and how well one of the others predicts a front."""
    latency_ms = np.array([row.timing.latency_ms for row in rows])
    on_front = np.array([row.kit.startswith(FRONT) for row in rows])
    predictor = make(features, latency_ms)
    _warn_of_strange(rows, predictor.predict(features), latency_ms)
    is_mixed = on_front.any() and not on_front.all()
    return predictor, {
        "device": dict(zip(CONSTANT, rows[0].device, strict=True)),
        "error": dataclasses.asdict(predictor.error),
        "regressor": predictor.name,
        "front": _compare_front(rows, features, latency_ms, on_front, make) if is_mixed else None,
    }


def _fit_energy(rows: Sequence[Measured], features: Features) -> LatencyPredictor | None:
    """The predictor of energies, where enough were measured."""
    energies = np.array([np.nan if row.energy_mj is None else row.energy_mj for row in rows])
    known = np.isfinite(energies)
    if known.sum() >= MIN_NETWORKS:
        return LatencyPredictor.fit(features[known], energies[known])
    if known.any():
        console.warn(
            f"{counted(known.sum(), 'row has', 'rows have')} an energy, and {MIN_NETWORKS} are needed to "
            "predict it"
        )
    return None


def _compare_front(
    rows: Sequence[Measured], features: Features, latency_ms: np.ndarray, on_front: np.ndarray, make: Make
) -> dict[str, Any]:
    """Predicted and measured milliseconds of a front's networks, by a predictor that has not seen them."""
    predicted = make(features[~on_front], latency_ms[~on_front]).predict(features[on_front])
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
            f"{100 * error.mape:.1f}% ({error.num_networks} networks, each predicted without it)"
        )
    front = summary["front"]
    if front is None:
        return
    console.say("the front's networks, by a predictor that has not seen them:")
    rows = list(zip(front["networks"], front["predicted_ms"], front["measured_ms"], strict=True))
    console.table(rows, ("network", "predicted ms", "measured ms"))
    console.say(f"mean error {100 * front['error']['mape']:.1f}%")
