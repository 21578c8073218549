"""A kit: models, what they are (kit.json), and the script that measures them on a device."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hytnas_jax.files.atomic import write_bytes, write_json
from hytnas_jax.model_files.onnx_graph import build_onnx, build_onnx_part
from hytnas_jax.model_files.tflite_graph import build_tflite, build_tflite_part
from hytnas_jax.on_device import measure
from hytnas_jax.shared_flags.format_names import RuntimeName
from supernet.network_spec import NetworkSpec
from supernet.operations import Graph


@dataclasses.dataclass(frozen=True)
class Runtime:
    """How models for a runtime are made; their weights are random."""

    suffix: str
    build: Callable[[NetworkSpec], bytes]
    build_part: Callable[[Graph], bytes]


RUNTIMES: dict[RuntimeName, Runtime] = {
    "onnxruntime": Runtime(".onnx", build_onnx, build_onnx_part),
    "tflite": Runtime(".tflite", build_tflite, build_tflite_part),
}


def write_kit(
    folder: Path,
    models: Iterable[tuple[str, bytes, Mapping[str, object]]],
    *,
    suffix: str,
    identity: str,
    columns: Sequence[str],
    next_command: str,
) -> None:
    """Writes the folder.

    Args:
      folder: must not be there yet.
      models: name, content, and the cells that its row of the table gets beside the measurement.
      suffix: of the models' files.
      identity: which kit it is; stands in every row.
      columns: the titles of the cells.
      next_command: what to run where the kit was made; in it `@DEVICE` is replaced by the device's name.
    """
    listed: list[dict[str, Any]] = []
    for name, content, cells in models:
        file = f"models/{name}{suffix}"
        write_bytes(folder / file, content)
        listed.append({"name": name, "file": file, "genes": dict(cells)})
    write_bytes(folder / "measure.py", Path(measure.__file__).read_bytes())
    kit = {"kit": identity, "next": next_command, "columns": list(columns), "models": listed}
    write_json(folder / "kit.json", kit)
