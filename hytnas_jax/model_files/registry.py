"""The formats that a network is exported to: how a file of each is made, run, and called."""

import dataclasses
import functools
from collections.abc import Callable

from hytnas_jax.model_files.onnx_graph import OPSET, build_onnx
from hytnas_jax.model_files.onnx_int8 import quantise_onnx
from hytnas_jax.model_files.runtimes import Images, Outputs, run_model
from hytnas_jax.model_files.stablehlo import PLATFORMS, build_stablehlo, run_stablehlo
from hytnas_jax.model_files.tflite_graph import build_tflite
from hytnas_jax.model_files.tflite_int8 import quantise_tflite
from hytnas_jax.model_files.tflite_memory import peak_bytes
from supernet.model import Tree
from supernet.network_spec import NetworkSpec


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file.

    build: the float file of a network from its specification, parameters and statistics.
    quantise: that file in eight bits, calibrated by images; None for a float format. Its `in_float` names a
        block that is left as it was.
    is_timed: whether its runtime is one of small devices.
    peak_bytes: the most bytes of activations that a file of it has alive, where that can be read from it.
    """

    file: str
    title: str
    build: Callable[[NetworkSpec, Tree, Tree], bytes]
    quantise: Callable[..., bytes] | None = None
    run: Callable[[bytes, Images], Outputs] = run_model
    is_timed: bool = True
    peak_bytes: Callable[[bytes], int] | None = None


_onnx = functools.partial(Format, build=build_onnx)
_tflite = functools.partial(Format, build=build_tflite, peak_bytes=peak_bytes)
FORMATS: dict[str, Format] = {
    "onnx": _onnx("model.onnx", f"ONNX opset {OPSET}, float32"),
    "onnx-int8": _onnx("model.int8.onnx", f"ONNX opset {OPSET}, int8 (QDQ)", quantise=quantise_onnx),
    "tflite": _tflite("model.tflite", "TFLite, float32"),
    "tflite-int8": _tflite("model.int8.tflite", "TFLite, int8 throughout", quantise=quantise_tflite),
    "stablehlo": Format(
        "model.stablehlo",
        f"StableHLO of jax.export for {', '.join(PLATFORMS)}, float32",
        build_stablehlo,
        run=run_stablehlo,
        is_timed=False,
    ),
}
