"""Exporting retrained networks: ONNX models that agree with JAX, timed, each with its card and script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hytnas_jax import console
from hytnas_jax.command import settings_of
from hytnas_jax.data import Pictures
from hytnas_jax.device import infer
from hytnas_jax.device.onnx_graph import build_onnx
from hytnas_jax.device.parity import check_parity
from hytnas_jax.device.timing import Timing, time_models
from hytnas_jax.environment import environment
from hytnas_jax.model_card import model_card
from hytnas_jax.project import Project, open_project
from hytnas_jax.retrained import Retrained, read_retrained
from hytnas_jax.weights import load_weights
from hytnas_jax.workdir import Step, Workdir, command_line, read_json, write_bytes, write_json

if TYPE_CHECKING:
    from hytnas_jax.export import Config

STEP = "export"


def export(config: Config) -> None:
    """Exports what is not exported yet, and says how good and how quick each model is."""
    project = open_project(Workdir(config.workdir))
    retrain = project.workdir.step("retrain")
    made_by = retrain.require("retrain")["id"]
    step = project.workdir.step(STEP)
    step.begin(settings_of(config), {"retrain": made_by})
    networks = read_retrained(retrain)
    if step.is_done:
        console.say(f"step {STEP!r} is done; delete {step.folder} to export anew")
    else:
        write_models(project, step, networks, num_pictures=config.pictures)
        _warn_if_other_processor(project)
        write_cards(project, step, networks)
        step.finish({"networks": [network.name for network in networks]})
    _print_table(step, networks)
    console.wrote(
        [step.folder / network.name for network in networks],
        command_line("report", config.workdir),
    )


def write_models(project: Project, step: Step, networks: Sequence[Retrained], *, num_pictures: int) -> None:
    """`model.onnx` and then `parity.json` of each network that has none yet.

    Raises:
        UserError: the pictures have changed, or a network's weights are missing, damaged or not finite.
        ExportMismatch: a model does not compute what its network does; it is not written.
    """
    missing = [n for n in networks if not (step.folder / n.name / "parity.json").exists()]
    if not missing:
        return
    pictures = _spread(project.dataset().search, num_pictures)
    with console.progress(len(networks), "exporting", done=len(networks) - len(missing)) as bar:
        for network in missing:
            params, stats = load_weights(network.weights)
            model = build_onnx(network.spec, params, stats)
            images = project.prepared(pictures, network.spec.resolution)
            parity = check_parity(model, network.spec, params, stats, images)
            folder = step.folder / network.name
            write_bytes(folder / "model.onnx", model)
            write_json(folder / "parity.json", parity)
            bar.note(f"{network.name} differs by {parity.max_difference:.1e} in {parity.scale:.3g}")
            bar.advance()


def write_cards(project: Project, step: Step, networks: Sequence[Retrained]) -> None:
    """Measures all models in turns, and writes `infer.py` and then `card.json` of each."""
    models = [(step.folder / network.name / "model.onnx").read_bytes() for network in networks]
    stored_side = read_json(project.workdir.path / "data" / "splits.json")["side"]
    script = Path(infer.__file__).read_bytes()
    timings: dict[int, Timing] = {}
    with console.progress(len(models), "measuring latency") as bar:
        for index, timing in time_models(models, on_round=lambda number: bar.note(f"round {number}")):
            timings[index] = timing
            bar.advance()
    for index, network in enumerate(networks):
        folder = step.folder / network.name
        card = model_card(
            network,
            project,
            stored_side=stored_side,
            parity=read_json(folder / "parity.json"),
            timing=timings[index],
            file_bytes=len(models[index]),
        )
        write_bytes(folder / "infer.py", script)
        write_json(folder / "card.json", card)


def _spread(pictures: Pictures, count: int) -> Pictures:
    """`count` pictures from all over, or all where there are no more."""
    rows = np.linspace(0, len(pictures) - 1, min(count, len(pictures))).astype(int)
    return Pictures(pictures.images[rows], pictures.labels[rows])


def _warn_if_other_processor(project: Project) -> None:
    latency = project.workdir.step("latency")
    if not latency.is_done:
        return
    before, now = latency.done()["environment"]["cpu"], environment()["cpu"]
    if before != now:
        console.warn(
            f"the latency predictor was fitted on {before}, this is {now}: predicted and measured latencies "
            "are of different machines"
        )


def _print_table(step: Step, networks: Sequence[Retrained]) -> None:
    rows = []
    for network in networks:
        card = read_json(step.folder / network.name / "card.json")
        latency = card["latency"]
        rows.append(
            (
                network.name,
                network.role,
                card["accuracy"]["test"],
                latency["predicted_ms"],
                latency["measured_ms"],
                card["size"]["file_bytes"],
            )
        )
    console.table(rows, ("network", "role", "test accuracy", "predicted ms", "measured ms", "bytes"))
