"""Writing a kit: models, what they are, and the script that measures them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hytnas_jax import architecture_row, console
from hytnas_jax.device import measure
from hytnas_jax.device.kit_table import FRONT, SAMPLE
from hytnas_jax.device.onnx_graph import build_onnx
from hytnas_jax.device.tflite_graph import build_tflite
from hytnas_jax.format_names import check_formats
from hytnas_jax.project import Project, open_project
from hytnas_jax.search_results import load_pareto
from hytnas_jax.steps.measure_latency import draw_networks
from hytnas_jax.workdir import Workdir, command_line, write_bytes, write_json
from supernet.architecture import Architecture
from supernet.errors import UserError

if TYPE_CHECKING:
    from hytnas_jax.device_kit import Config

BUILD = {"onnxruntime": (build_onnx, ".onnx"), "tflite": (build_tflite, ".tflite")}


def device_kit(config: Config) -> None:
    """Writes the kit beside its place, and moves it there when it is whole."""
    if config.output.exists():
        raise UserError(f"--output {config.output}: it is there already; give another folder, or delete it")
    if config.runtime == "tflite":
        check_formats(("onnx", "tflite"))
    project = open_project(Workdir(config.workdir))
    if config.front:
        networks = [point.architecture for point in load_pareto(project)]
    else:
        networks = draw_networks(project.space, config.networks, config.seed)
    unfinished = config.output.with_name(f".{config.output.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    write_kit(unfinished, project, networks, runtime=config.runtime, kind=FRONT if config.front else SAMPLE)
    unfinished.rename(config.output)
    console.say(
        f"{len(networks)} networks, about {len(networks) // 60 or 1} min to measure; copy the folder to the "
        "device, and there run: python measure.py --device NAME"
    )
    fit = command_line("fit_latency", config.workdir)
    console.wrote([config.output], f"{fit} --device NAME --measurements NAME.csv")


def write_kit(
    folder: Path, project: Project, networks: Sequence[Architecture], *, runtime: str, kind: str
) -> None:
    """The models with random weights, kit.json, and measure.py."""
    build, suffix = BUILD[runtime]
    models = []
    with console.progress(networks, "writing models") as bar:
        for network in bar:
            file = f"models/{network.name}{suffix}"
            write_bytes(folder / file, build(project.to_spec(network)))
            cells = architecture_row.to_cells(project.space, network)
            models.append({"name": cells.pop("name"), "file": file, "genes": cells})
    write_bytes(folder / "measure.py", Path(measure.__file__).read_bytes())
    columns = architecture_row.columns(project.space)[1:]
    write_json(
        folder / "kit.json",
        {
            "kit": f"{kind}-{uuid.uuid4().hex[:12]}",
            "next": command_line("fit_latency", project.workdir.path),
            "columns": columns,
            "models": models,
        },
    )
