"""The memory that the activations of a TFLite file take, from the file itself."""

import dataclasses
import math
from typing import Any

from hytnas_jax.model_files.tflite_file import read_model, schema


@dataclasses.dataclass(frozen=True)
class LiveTensors:
    """What is alive while an operator runs: the operator's output by name, and bytes."""

    output: str
    nbytes: int


def live_tensors(model: bytes) -> list[LiveTensors]:
    """The bytes of tensors alive during each operator of a file, in execution order, for one image.

    A tensor lives from the operator that makes it to the last that reads it, the graph's input from the
    start. Constants are not counted. No tensor shares its memory with another: so TensorFlow Lite Micro plans
    its arena (micro_allocation_info.cc), RESHAPE included. Its arena holds this much at least; how near it
    comes, benchmarks/export/tflite_memory.py says.

    Raises:
        UserError: `hytnas_jax[tflite]` is not installed.
    """
    tree = read_model(model)
    (graph,) = tree.subgraphs
    born = {int(tensor): 0 for tensor in graph.inputs}
    last = dict(born)
    for index, operator in enumerate(graph.operators):
        for tensor in operator.outputs:
            born[int(tensor)] = last[int(tensor)] = index
        for tensor in operator.inputs:
            if int(tensor) in born:  # else a constant
                last[int(tensor)] = index
    sizes = {tensor: _nbytes(graph.tensors[tensor]) for tensor in born}
    return [
        LiveTensors(
            graph.tensors[operator.outputs[0]].name.decode(),
            sum(size for tensor, size in sizes.items() if born[tensor] <= index <= last[tensor]),
        )
        for index, operator in enumerate(graph.operators)
    ]


def peak_bytes(model: bytes) -> int:
    """The most bytes of tensors alive at once (`live_tensors`)."""
    return max(live.nbytes for live in live_tensors(model))


def _nbytes(tensor: Any) -> int:
    types = schema().TensorType
    sizes = {types.FLOAT32: 4, types.INT32: 4, types.INT8: 1}
    return math.prod(map(int, tensor.shape)) * sizes[tensor.type]
