"""The report's section about the exported files: what each is worth beside the network that it is of."""

import math
from typing import Any

from hytnas_jax.numbers import DASH, counted, fraction, milliseconds, percent, size
from hytnas_jax.report.page import paragraph, section, table
from hytnas_jax.report.results import NetworkResult, Results
from hytnas_jax.tasks import VisionTask


def files_section(results: Results) -> str:
    """A row for each file, and which blocks cost an eight-bit one its accuracy."""
    files = [
        (network, file, found)
        for network in results.networks or ()
        for file, found in (network.card or {}).get("files", {}).items()
    ]
    if not files:
        return ""
    task = results.project.task
    seen = "images" if task.measure.is_error else "cells of the output"
    text = (
        f"Each file was run in its own runtime on "
        f"{counted(files[0][2]['num_images'], 'image', form=',')} of the validation "
        f"split; JAX is the network itself. Same class: {seen} of which both say the same. Latency is of "
        "one image, on one thread. Peak memory is that of a TFLite file's activations."
    )
    name = _name(task)
    headers = ("", "file", name, f"{name} in JAX", "same class", "latency", "size", "peak memory")
    losses = [_loss(*file, task) for file in files if "costly_blocks" in file[2]]
    return section(
        "The files",
        paragraph(text),
        table(headers, [_row(*file, task) for file in files], num_text=2),
        *(paragraph(loss, "warning") for loss in losses),
    )


def _name(task: VisionTask) -> str:
    """What is told of a file's quality."""
    return task.measure.name if task.measure.is_error else task.file_quality_name


def _number(quality: float, task: VisionTask) -> str:
    return percent(1 - quality) if task.measure.is_error else fraction(quality)


def _row(network: NetworkResult, file: str, found: dict[str, Any], task: VisionTask) -> tuple[str, ...]:
    latency = found["latency"]
    return (
        network.letter,
        file,
        _number(found["quality"], task),
        _number(found["quality_in_jax"], task),
        percent(found["same_class"]),
        DASH if latency is None else milliseconds(latency["latency_ms"]),
        size(found["bytes"]),
        size(found.get("peak_activation_bytes", math.nan)),
    )


def _loss(network: NetworkResult, file: str, found: dict[str, Any], task: VisionTask) -> str:
    blocks = ", ".join(
        f"{b['block']} ({_number(b['quality'], task)} {_name(task)})" for b in found["costly_blocks"]
    )
    loss = 100 * (found["quality_in_jax"] - found["quality"])
    how = "less accurate than" if task.measure.is_error else f"of {task.file_quality_name} below"
    return (
        f"{network.letter}: {file} is {loss:.1f} points {how} the network. It would be the "
        f"least so with one of these blocks in floats: {blocks}."
    )
