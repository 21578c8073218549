"""What each export format is worth: a work folder's retrained networks as every kind of file, beside JAX.

    python -m hytnas_jax.export --workdir runs/person --formats onnx onnx-int8 tflite tflite-int8 stablehlo
    python -m benchmarks.export.formats --workdir runs/person --name export_formats_person

Of each format over the networks: accuracy less that in JAX, how often both say the same class, correlation of
the logits, and size and latency as ratios to float ONNX. Accuracies are on images of the validation split,
the latencies of one run in which all files take turns.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main
from hytnas_jax import console
from hytnas_jax.files.atomic import read_json
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir

REFERENCE = "model.onnx"


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the files of exported networks."""

    workdir: Path
    """A work folder in which export has ended."""
    name: str = "export_formats"
    """Of the result."""


def benchmark(config: Config) -> dict[str, Any]:
    """Reads the cards and prints a row for each format."""
    project = open_project(Workdir(config.workdir))
    project.workdir.step("export").require("export")
    cards = [read_json(path) for path in sorted(config.workdir.glob("export/*/card.json"))]
    summary = {file: summarise(file, cards) for file in cards[0]["files"]}
    headers = ("file", *next(iter(summary.values())))
    console.table([(file, *values.values()) for file, values in summary.items()], headers)
    networks = {card["name"]: {"role": card["role"], "files": card["files"]} for card in cards}
    return {"data": project.source, "summary": summary, "networks": networks}


def summarise(file: str, cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One format over all networks; ratios are geometric means."""
    found = [card["files"][file] for card in cards]
    references = [card["files"][REFERENCE] for card in cards]
    pairs = list(zip(found, references, strict=True))
    losses = [100 * (f["quality_in_jax"] - f["quality"]) for f in found]
    timed = [f["latency"]["latency_ms"] / r["latency"]["latency_ms"] for f, r in pairs if f["latency"]]
    return {
        "mean_loss_points": float(np.mean(losses)),
        "worst_loss_points": float(np.max(losses)),
        "same_class": float(np.mean([f["same_class"] for f in found])),
        "correlation": float(np.mean([f["correlation"] for f in found])),
        "size_ratio": geometric_mean([f["bytes"] / r["bytes"] for f, r in pairs]),
        "latency_ratio": geometric_mean(timed) if timed else None,
    }


def geometric_mean(ratios: Sequence[float]) -> float:
    """Of positive numbers."""
    return float(np.exp(np.mean(np.log(ratios))))


if __name__ == "__main__":
    main(benchmark, Config)
