"""Parameters, multiply-accumulates and peak memory, counted from the operation graph.

Multiply-accumulates (MACs) are those of convolutions, linear layers and attention's two matrix
products. Not counted: biases, activations, LayerNorm, softmax, additions, pooling, squeeze-and-
excitation's multiplication and moves of data.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction
from supernet.architecture import Architecture
from supernet.graph import part_graphs
from supernet.network_spec import NetworkSpec
from supernet.operations import Graph

FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Complexity:
    """What a network costs before anything is measured; memory in bytes, float32, batch 1."""

    num_parameters: int
    num_macs: int
    peak_activation_bytes: int


def complexity(spec: NetworkSpec) -> Complexity:
    """Counts of one network. Raises UserError for a specification that cannot be built."""
    counts = [graph_complexity(graph) for graph in part_graphs(spec)]
    return Complexity(
        num_parameters=sum(count.num_parameters for count in counts),
        num_macs=sum(count.num_macs for count in counts),
        peak_activation_bytes=max(count.peak_activation_bytes for count in counts),
    )


@functools.lru_cache(maxsize=2**16)
def graph_complexity(graph: Graph) -> Complexity:
    """Counts of any operations."""
    return Complexity(
        num_parameters=sum(op.num_parameters for op in graph.ops),
        num_macs=sum(op.num_macs for op in graph.ops),
        peak_activation_bytes=max(live_bytes(graph)),
    )


def live_bytes(graph: Graph) -> list[int]:
    """Bytes of activations alive during each operation [len(ops)], float32, batch 1.

    A tensor lives from the operation that makes it to the last that reads it, so that an operation
    holds its inputs, its output and whatever is needed later: the float arena of TensorFlow Lite
    Micro. Conventions: a view is its input; an activation function is fused into the operation
    before it (in place); every other operation, addition too, writes to memory of its own; a
    convolution pads without a copy. Weights are not activations.
    """
    owner = [0]  # the tensor whose memory each tensor lies in
    for op in graph.ops:
        shares = op.is_view or op.kind == "activation"
        owner.append(owner[op.inputs[0]] if shares else op.output)

    size, born, last = {}, {}, {}
    for tensor in sorted(set(owner)):
        size[tensor] = FLOAT_BYTES * int(np.prod(graph.shape(tensor)))
        born[tensor] = last[tensor] = max(tensor - 1, 0)
    for index, op in enumerate(graph.ops):
        for tensor in op.inputs:
            last[owner[tensor]] = index

    change = np.zeros(len(graph.ops) + 1, np.int64)
    for tensor, nbytes in size.items():
        change[born[tensor]] += nbytes
        change[last[tensor] + 1] -= nbytes
    return [int(n) for n in np.cumsum(change)[:-1]]


@dataclasses.dataclass(frozen=True)
class ComplexityEstimator:
    """An `Estimator` of one field of `Complexity`; `to_spec` makes an architecture's network."""

    name: str
    unit: str
    field: Literal["num_parameters", "num_macs", "peak_activation_bytes"]
    to_spec: Callable[[Architecture], NetworkSpec]
    direction: Direction = "min"

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Exact counts, float64 [A]."""
        counts = [complexity(self.to_spec(architecture)) for architecture in architectures]
        return np.array([getattr(count, self.field) for count in counts], np.float64)


def num_parameters(to_spec: Callable[[Architecture], NetworkSpec]) -> ComplexityEstimator:
    """Trainable parameters."""
    return ComplexityEstimator("num_parameters", "parameters", "num_parameters", to_spec)


def num_macs(to_spec: Callable[[Architecture], NetworkSpec]) -> ComplexityEstimator:
    """Multiply-accumulates of one picture."""
    return ComplexityEstimator("num_macs", "MACs", "num_macs", to_spec)


def peak_memory_bytes(to_spec: Callable[[Architecture], NetworkSpec]) -> ComplexityEstimator:
    """Peak bytes of activations of one float32 picture (see `live_bytes`)."""
    return ComplexityEstimator("peak_memory_bytes", "bytes", "peak_activation_bytes", to_spec)
