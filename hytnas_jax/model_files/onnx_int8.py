"""An ONNX model in eight bits: quantise and dequantise nodes around each operation (QDQ), by ONNX Runtime."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from hytnas_jax.model_files.onnx_graph import INPUT
from hytnas_jax.model_files.quiet import quiet


def quantise_onnx(model: bytes, images: NDArray[np.float32], *, in_float: str = "") -> bytes:
    """Weights int8 by output channel, activations uint8 in the ranges that `images` give them.

    Args:
        model: as `build_onnx` writes it; the result has its input and output, both float32.
        images: normalised ones [B, R, R, C] of the training split.
        in_float: a block ("blocks/3", "head") that keeps its floats, to see what quantising it costs.
    """
    with quiet(), tempfile.TemporaryDirectory() as folder:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

        class Reader(CalibrationDataReader):
            def __init__(self) -> None:
                self._rest = iter(images)

            def get_next(self) -> dict[str, NDArray[np.float32]] | None:
                image = next(self._rest, None)
                return None if image is None else {INPUT: image[None]}

        graph = onnx.load_from_string(model)
        kept = [node.name for node in graph.graph.node if in_float and node.name.startswith(f"{in_float}/")]
        path = Path(folder) / "model.onnx"
        quantize_static(
            graph,
            path,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
        )
        return path.read_bytes()
