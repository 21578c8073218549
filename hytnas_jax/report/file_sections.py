"""The report's section about the exported files: what each is worth beside the network that it is of."""

import math
from typing import Any

from hytnas_jax.numbers import DASH, counted, milliseconds, percent, size
from hytnas_jax.report.page import paragraph, section, table
from hytnas_jax.report.results import NetworkResult, Results


def files_section(results: Results) -> str:
    """A row for each file, and which blocks cost an eight-bit one its accuracy."""
    files = [
        (network, file, found)
        for network in results.networks or ()
        for file, found in (network.card or {}).get("files", {}).items()
    ]
    if not files:
        return ""
    text = (
        f"Each file was run in its own runtime on "
        f"{counted(files[0][2]['num_images'], 'image', form=',')} of the validation "
        "split; JAX is the network itself. Same class: images of which both say the same. Latency is of "
        "one image, on one thread. Peak memory is that of a TFLite file's activations."
    )
    headers = ("", "file", "error", "error in JAX", "same class", "latency", "size", "peak memory")
    losses = [_loss(*file) for file in files if "costly_blocks" in file[2]]
    return section(
        "The files",
        paragraph(text),
        table(headers, [_row(*file) for file in files], num_text=2),
        *(paragraph(loss, "warning") for loss in losses),
    )


def _row(network: NetworkResult, file: str, found: dict[str, Any]) -> tuple[str, ...]:
    latency = found["latency"]
    return (
        network.letter,
        file,
        percent(1 - found["quality"]),
        percent(1 - found["quality_in_jax"]),
        percent(found["same_class"]),
        DASH if latency is None else milliseconds(latency["latency_ms"]),
        size(found["bytes"]),
        size(found.get("peak_activation_bytes", math.nan)),
    )


def _loss(network: NetworkResult, file: str, found: dict[str, Any]) -> str:
    blocks = ", ".join(f"{b['block']} ({percent(1 - b['quality'])} error)" for b in found["costly_blocks"])
    loss = 100 * (found["quality_in_jax"] - found["quality"])
    return (
        f"{network.letter}: {file} is {loss:.1f} points less accurate than the network. It would be the "
        f"least so with one of these blocks in floats: {blocks}."
    )
