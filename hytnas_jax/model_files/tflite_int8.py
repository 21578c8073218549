"""A TFLite model in eight bits throughout, input and output too, as microcontrollers take it."""

import re

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.model_files.onnx_graph import INPUT
from hytnas_jax.model_files.quiet import quiet
from hytnas_jax.model_files.tflite_file import SIGNATURE, pack_model, read_model
from hytnas_jax.shared_flags.format_names import MISSING
from supernet.errors import UserError


def quantise_tflite(model: bytes, images: NDArray[np.float32], *, in_float: str = "") -> bytes:
    """Weights int8 by output channel, activations int8 in the ranges that `images` give them.

    The weights lie inside the flatbuffer (`pack_model`).

    Args:
        model: as `build_tflite` writes it. The result's input and output are int8, with a scale and a zero
            point each.
        images: normalised ones [B, R, R, C] of the training split.
        in_float: a block ("blocks/3", "head") that keeps its floats, to see what quantising it costs.

    Raises:
        UserError: `hytnas_jax[tflite]` is not installed.
    """
    try:
        from litert_quantizer import quantizer, recipe
    except ImportError:
        raise UserError(MISSING) from None
    with quiet():
        work = quantizer.Quantizer(model, recipe.static_wi8_ai8())
        if in_float:
            work.update_quantization_recipe(
                f"^{re.escape(in_float)}/", "*", algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE
            )
        ranges = work.calibrate({SIGNATURE: [{INPUT: image[None]} for image in images]}, num_threads=1)
        quantised = bytes(work.quantize(ranges).quantized_model)
    return pack_model(read_model(quantised))
