"""Runs exported models on images, each in the runtime that its bytes are for.

A TFLite model takes one image at a time; an integer one takes and gives float32 here, for which the scales
and zero points of its input and output are applied. Letter: B images.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.on_device.measure import OnnxModel, load

BATCH = 64  # images that run at once

Images = NDArray[np.float32]  # [B, R, R, C], normalised
Outputs = NDArray[np.float32]  # [B, ...]


def run_model(model: bytes, images: Images) -> Outputs:
    """Outputs [B, ...] of normalised images [B, R, R, C]; `model` is an ONNX or TFLite file."""
    loaded = load(model)
    if isinstance(loaded, OnnxModel):
        return batched(lambda part: loaded.session.run(None, {loaded.input: part})[0], images)
    return _run_tflite(loaded.interpreter, images)


def batched(run: Callable[[Images], Any], images: Images) -> Outputs:
    """`run` on `BATCH` images at a time, the last of them repeated where fewer are left: one shape."""
    rows = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        missing = min(BATCH, len(images)) - len(part)
        filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
        rows.append(np.asarray(run(filled))[: len(part)])
    return np.concatenate(rows)


def _run_tflite(interpreter: Any, images: Images) -> Outputs:
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for image in images:
        interpreter.set_tensor(source["index"], quantised(image[None], source))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result["index"])[0])
    logits = np.stack(rows)
    if result["dtype"] == np.float32:
        return logits
    scale, zero = result["quantization"]
    return (logits.astype(np.float32) - zero) * np.float32(scale)


def quantised(values: Images, tensor: dict[str, Any]) -> NDArray[Any]:
    """Values as a TFLite tensor holds them; `tensor` are the details that the interpreter gives."""
    if tensor["dtype"] == np.float32:
        return values
    scale, zero = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.rint(values / scale) + zero, limits.min, limits.max).astype(tensor["dtype"])
