"""Is the quality in a card what the script beside it finds by itself? Of detectors and segmenters.

    python -m benchmarks.export.script_quality --workdir runs/cells --name script_quality_cells

The exported `infer.py` reads the image files of the test split, one by one, and finds boxes or masks with
NumPy and the runtime alone. Their quality stands beside the card's, which training, on images held in
memory, has given. The script is run on every file that it can open: eight bits lose a little.
"""

import dataclasses
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.common import main, show
from hytnas_jax import console
from hytnas_jax.data import Dataset
from hytnas_jax.files.atomic import read_json
from hytnas_jax.quality.average_precision import Found, Truth, average_precision
from hytnas_jax.quality.mean_iou import mean_iou, pixel_counts
from hytnas_jax.retrain.retrained import Retrained, read_retrained
from hytnas_jax.tasks.measure import Measure
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import complexity
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure exported networks by their scripts alone."""

    workdir: Path
    """A work folder in which export has ended, whose images are files in a folder."""
    name: str = "script_quality"
    """Of the result."""


def benchmark(config: Config) -> dict[str, Any]:
    """A row for each file of each network."""
    project = open_project(Workdir(config.workdir))
    project.workdir.step("export").require("export")
    retrain = project.workdir.step("retrain")
    if project.task.name == "classification":
        raise UserError(f"--workdir {config.workdir}: is of classification; give one of boxes or masks")
    images = Path(read_json(project.workdir.path / "data" / "settings.json")["settings"]["data"])
    if not images.is_dir():
        raise UserError(f"--workdir {config.workdir}: its images, {images}, are no folder")
    dataset, rows = project.dataset(), list[dict[str, Any]]()
    folders = sorted(path.parent for path in config.workdir.glob("export/*/card.json"))
    jobs = [(folder, path) for folder in folders for path in sorted(folder.glob("model*.onnx"))]
    with console.progress(jobs, "running scripts") as bar:
        for folder, path in bar:
            found = quality_by_script(folder, path, images, dataset)
            card = read_json(folder / "card.json")["quality"]
            row = {"network": folder.name, "file": path.name, "card": card["test"], "script": found}
            rows.append({**row, "difference": found - card["test"]})
    show(rows)
    floats = [abs(row["difference"]) for row in rows if row["file"] == "model.onnx"]
    return {
        "data": project.source,
        "quality": project.task.quality,
        "largest": max(floats),
        "files": rows,
        "networks": [_network(network, project.task.measure) for network in read_retrained(retrain)],
    }


def _network(network: Retrained, measure: Measure) -> dict[str, Any]:
    """What it costs and how good it is, in full precision."""
    counts = complexity(network.spec)
    beside = {} if measure.beside is None else {f"test {measure.beside[1]}": measure.beside[0]}
    return {
        "network": network.name,
        "parameters": counts.num_parameters,
        "macs": counts.num_macs,
        "resolution": network.spec.resolution,
        "validation": 1 - network.validation_error,
        "test": 1 - network.test_error,
        **{name: network.test_details[key] for name, key in beside.items()},
    }


def quality_by_script(folder: Path, model_file: Path, images: Path, dataset: Dataset) -> float:
    """AP or mIoU of what the script in `folder` finds in the files of the test split."""
    script, targets = load_script(folder), dataset.test.targets
    model, card = script.load_model(model_file), script.read_card(folder / "card.json")
    files = [images / file for file in dataset.files["test"]]
    if card.task == "detection":
        columns = (targets[name] for name in ("boxes", "classes", "ignored"))
        truth = [Truth(*each) for each in zip(*columns, strict=True)]
        found = [Found(*script.find_boxes(file, model, card)) for file in files]
        return average_precision(found, truth, len(card.labels)).ap
    pairs = zip(files, targets["mask"], strict=True)
    counts = [
        pixel_counts(script.find_mask(file, model, card, mask.shape), mask, len(card.labels))
        for file, mask in pairs
    ]
    return mean_iou(np.stack(counts)).miou


def load_script(folder: Path) -> ModuleType:
    """The `infer.py` of an exported network."""
    spec = importlib.util.spec_from_file_location(f"infer_{folder.name}", folder / "infer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(benchmark, Config)
