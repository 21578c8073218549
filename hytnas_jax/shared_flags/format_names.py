"""The formats that networks are exported to, and the runtimes of kits, by name, for the flags: no JAX."""

import importlib.util
from collections.abc import Sequence
from typing import Literal

from supernet.errors import UserError

RuntimeName = Literal["onnxruntime", "tflite"]
FormatName = Literal["onnx", "onnx-int8", "tflite", "tflite-int8", "stablehlo"]
# What the TFLite formats need beside the package: the runtime with the schema, and the quantiser.
TFLITE_PACKAGES = {"tflite": ("ai_edge_litert",), "tflite-int8": ("ai_edge_litert", "litert_quantizer")}
MISSING = "TFLite needs packages that are not installed: pip install 'hytnas_jax[tflite]'"


def check_formats(formats: Sequence[FormatName]) -> None:
    """Raises UserError where onnx is not among them, one is there twice, or its packages are missing."""
    shown = " ".join(formats)
    if "onnx" not in formats or len(set(formats)) < len(formats):
        raise UserError(
            f"--formats {shown}: give each once, and onnx among them: the latency is that of ONNX"
        )
    for name in formats:
        if not all(importlib.util.find_spec(package) for package in TFLITE_PACKAGES.get(name, ())):
            raise UserError(f"--formats {shown}: {name} cannot be written; {MISSING}")


def check_runtimes(flag: str, runtimes: Sequence[RuntimeName]) -> None:
    """Raises UserError where models for one of them cannot be made; `flag` is what the user gave."""
    if "tflite" in runtimes and not all(map(importlib.util.find_spec, TFLITE_PACKAGES["tflite"])):
        raise UserError(f"{flag} {' '.join(runtimes)}: {MISSING}")
