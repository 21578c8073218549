"""Exported models in the runtime that they are for, told apart by their first bytes.

A TFLite model takes one picture at a time; an integer one takes and gives float32 here, for which the scales
and zero points of its input and output are applied. Letter: B pictures.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from hytnas_jax.device.quiet import quiet
from hytnas_jax.device.tflite_file import IDENTIFIER
from hytnas_jax.format_names import MISSING
from supernet.errors import UserError

BATCH = 64  # pictures that run at once

Images = NDArray[np.float32]  # [B, R, R, C], normalised
Logits = NDArray[np.float32]  # [B, num_classes]


class Loaded(Protocol):
    """A model that is ready to run."""

    def logits(self, images: Images) -> Logits:
        """Of normalised pictures [B, R, R, C]: [B, num_classes]."""

    def run_once(self) -> None:
        """One picture of noise, for its time alone."""

    def release(self) -> None:
        """Gives back the memory of the activations."""


def load(model: bytes, *, threads: int = 1) -> Loaded:
    """The model in its runtime. Raises UserError where that is not installed."""
    return _TFLite(model, threads) if model[4:8] == IDENTIFIER else _Onnx(model, threads)


def batched(run: Callable[[Images], Any], images: Images) -> Logits:
    """`run` on `BATCH` pictures at a time, the last of them repeated where fewer are left: one shape."""
    rows = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        missing = min(BATCH, len(images)) - len(part)
        filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
        rows.append(np.asarray(run(filled))[: len(part)])
    return np.concatenate(rows)


class _Onnx:
    def __init__(self, model: bytes, threads: int) -> None:
        self._session = ort.InferenceSession(model, _options(threads), providers=["CPUExecutionProvider"])
        (self._input,) = self._session.get_inputs()
        shape = [size if isinstance(size, int) else 1 for size in self._input.shape]
        self._noise = {self._input.name: np.random.default_rng(0).standard_normal(shape, np.float32)}
        self._shrink = ort.RunOptions()
        self._shrink.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def logits(self, images: Images) -> Logits:
        return batched(lambda part: self._session.run(None, {self._input.name: part})[0], images)

    def run_once(self) -> None:
        self._session.run(None, self._noise)

    def release(self) -> None:
        self._session.run(None, self._noise, self._shrink)


class _TFLite:
    def __init__(self, model: bytes, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise UserError(MISSING) from None
        with quiet():
            self._interpreter = Interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        noise = np.random.default_rng(0).standard_normal(self._input["shape"], np.float32)
        self._interpreter.set_tensor(self._input["index"], quantised(noise, self._input))

    def logits(self, images: Images) -> Logits:
        rows = []
        for image in images:
            self._interpreter.set_tensor(self._input["index"], quantised(image[None], self._input))
            self._interpreter.invoke()
            (row,) = self._interpreter.get_tensor(self._output["index"])
            rows.append(row)
        scale, zero = self._output["quantization"]
        if self._output["dtype"] == np.float32:
            return np.stack(rows)
        return (np.stack(rows).astype(np.float32) - zero) * np.float32(scale)

    def run_once(self) -> None:
        self._interpreter.invoke()

    def release(self) -> None:
        pass  # a TFLite model holds what it has planned


def quantised(values: Images, tensor: dict[str, Any]) -> NDArray[Any]:
    """Values as a TFLite tensor holds them; `tensor` are the details that the interpreter gives."""
    if tensor["dtype"] == np.float32:
        return values
    scale, zero = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.rint(values / scale) + zero, limits.min, limits.max).astype(tensor["dtype"])


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    options.log_severity_level = 3  # errors
    return options
