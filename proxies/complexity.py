"""Parameters, multiply-accumulates and peak memory, counted from the operation graph.

Multiply-accumulates (MACs) are those of convolutions, linear layers and attention's two matrix
products. Not counted: biases, activations, LayerNorm, softmax, additions, pooling, squeeze-and-
excitation's multiplication and moves of data.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction
from proxies.parts import Part, ToSpec, part_uses
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
        size[tensor] = FLOAT_BYTES * math.prod(graph.shape(tensor))
        born[tensor] = last[tensor] = max(tensor - 1, 0)
    for index, op in enumerate(graph.ops):
        for tensor in op.inputs:
            last[owner[tensor]] = index

    change = [0] * (len(graph.ops) + 1)
    for tensor, nbytes in size.items():
        change[born[tensor]] += nbytes
        change[last[tensor] + 1] -= nbytes
    return list(itertools.accumulate(change[:-1]))


def complexity_table(architectures: Sequence[Architecture], to_spec: ToSpec) -> NDArray[np.int64]:
    """`complexity` of architectures of one space, int64 [A, 3] in the order of its fields.

    Args:
        to_spec: makes an architecture's network, as `SearchSpace.network_spec` does.
    """
    table = np.zeros((len(architectures), len(dataclasses.fields(Complexity))), np.int64)
    sums, peaks = table[:, :2], table[:, 2]
    for uses in part_uses(architectures, to_spec):
        counts = uses.counted(_part_counts)
        sums[uses.who] += counts[:, :2] * uses.times[:, None]
        peak = counts[:, 2] + FLOAT_BYTES * uses.input_size
        peaks[uses.who] = np.maximum(peaks[uses.who], peak)
    return table


@functools.lru_cache(maxsize=2**16)
def _part_counts(part: Part) -> tuple[int, int, int]:
    """Parameters, MACs, and the peak bytes less those of the map that the part's block reads."""
    live = live_bytes(part.graph)
    return (
        sum(op.num_parameters for op in part.ops),
        sum(op.num_macs for op in part.ops),
        max(live[index] for index in part.indices) - FLOAT_BYTES * math.prod(part.graph.input_shape),
    )


@dataclasses.dataclass(frozen=True)
class ComplexityEstimator:
    """An `Estimator` of one field of `Complexity`; `to_spec` as in `complexity_table`."""

    name: str
    unit: str
    field: Literal["num_parameters", "num_macs", "peak_activation_bytes"]
    to_spec: ToSpec
    direction: Direction = "min"

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Exact counts, float64 [A]; 100,000 in a few seconds."""
        column = [field.name for field in dataclasses.fields(Complexity)].index(self.field)
        return complexity_table(architectures, self.to_spec)[:, column].astype(np.float64)


def num_parameters(to_spec: ToSpec) -> ComplexityEstimator:
    """Trainable parameters."""
    return ComplexityEstimator("num_parameters", "parameters", "num_parameters", to_spec)


def num_macs(to_spec: ToSpec) -> ComplexityEstimator:
    """Multiply-accumulates of one picture."""
    return ComplexityEstimator("num_macs", "MACs", "num_macs", to_spec)


def peak_memory_bytes(to_spec: ToSpec) -> ComplexityEstimator:
    """Peak bytes of activations of one float32 picture (see `live_bytes`)."""
    return ComplexityEstimator("peak_memory_bytes", "bytes", "peak_activation_bytes", to_spec)
