"""Parameters, multiply-accumulates, peak memory and file sizes, counted from the operation graph.

Multiply-accumulates (MACs) are those of convolutions, linear layers and attention's two matrix
products. Not counted: biases, activations, LayerNorm, softmax, additions, pooling, squeeze-and-
excitation's multiplication and moves of data.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction, Estimate, Estimator
from proxies.model_size import FILE, operation_bytes
from proxies.parts import Part, ToSpec, part_uses
from proxies.tflite_operators import TFLiteOperators, tflite_operators
from supernet.architecture import Architecture
from supernet.graph import part_graphs
from supernet.network_spec import NetworkSpec
from supernet.operations import Graph

FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Complexity:
    """What a network costs before anything is measured; memory is that of one image's activations.

    The bytes are those of its TFLite files, in float32 and in int8 throughout: what a microcontroller needs
    of its memory (`live_bytes`) and of its flash (`model_size`, an estimate to a percent).

    Examples:
      >>> from proxies.complexity import complexity
      >>> from supernet import named_network
      >>> complexity(named_network("mobilevit-xs", num_classes=1000, resolution=256)).num_parameters
      2317848
    """

    num_parameters: int
    num_macs: int
    peak_activation_bytes: int
    peak_activation_bytes_int8: int
    model_bytes: int
    model_bytes_int8: int


FIELDS = tuple(field.name for field in dataclasses.fields(Complexity))  # columns of `complexity_table`


class _Counts(NamedTuple):
    """Of some operations: sums, and the most elements alive at once."""

    num_parameters: int
    num_macs: int
    model_bytes: int
    model_bytes_int8: int
    peak_elements: int


def complexity(spec: NetworkSpec) -> Complexity:
    """Counts of one network. Raises UserError for a specification that cannot be built."""
    return _total([_graph_counts(graph) for graph in part_graphs(spec)])


def graph_complexity(graph: Graph) -> Complexity:
    """Counts of any operations."""
    return _total([_graph_counts(graph)])


def live_bytes(graph: Graph) -> list[int]:
    """Bytes of activations alive during each operation [len(ops)], float32, one image.

    Counted over the operators that the operation has in a TFLite file (`proxies.tflite_operators`): the most
    of them counts. A tensor lives from the operator that makes it to the last that reads it, and shares its
    memory with no other. So TensorFlow Lite Micro plans its arena: the largest sum is the least that an arena
    can have, and its planner comes near it (docs/memory.md). Relu is computed by the operator before it; SiLU
    is two operators, so that three maps are alive at once; where a stride leaves the padding a choice, the
    padded map is a copy. A file in int8 needs a quarter. Weights are not activations.
    """
    return [FLOAT_BYTES * elements for elements in _live_elements(graph, tflite_operators(graph))]


def _live_elements(graph: Graph, operators: TFLiteOperators, *, input_stays: bool = False) -> list[int]:
    """The most elements alive in each operation [len(ops)]; a fused one has what the one before has."""
    most = [0] * len(graph.ops)
    alive = operators.live_elements(input_stays=input_stays)
    for operator, live in zip(operators.operators, alive, strict=True):
        most[operator.op] = max(most[operator.op], live)
    for index, live in enumerate(most):
        most[index] = live or most[index - 1]
    return most


@functools.lru_cache(maxsize=2**16)
def _graph_counts(graph: Graph) -> _Counts:
    return _counts(Part.whole(graph))


def _counts(part: Part, *, input_stays: bool = False) -> _Counts:
    operators = tflite_operators(part.graph)
    live = _live_elements(part.graph, operators, input_stays=input_stays)
    sizes = operation_bytes(part.graph, operators)
    return _Counts(
        num_parameters=sum(op.num_parameters for op in part.ops),
        num_macs=sum(op.num_macs for op in part.ops),
        model_bytes=sum(sizes[index].float32 for index in part.indices),
        model_bytes_int8=sum(sizes[index].int8 for index in part.indices),
        peak_elements=max(live[index] for index in part.indices),
    )


def _total(parts: Sequence[_Counts]) -> Complexity:
    parameters, macs, float_bytes, int8_bytes, _ = map(sum, zip(*parts, strict=True))
    peak = max(counts.peak_elements for counts in parts)
    return Complexity(
        parameters, macs, FLOAT_BYTES * peak, peak, FILE.float32 + float_bytes, FILE.int8 + int8_bytes
    )


def complexity_table(architectures: Sequence[Architecture], to_spec: ToSpec) -> NDArray[np.int64]:
    """`complexity` of architectures of one space, int64 [A, 6] in the order of its fields.

    Args:
        to_spec: makes an architecture's network, as `SearchSpace.network_spec` does.
    """
    sums = np.zeros((len(architectures), 4), np.int64)
    sums[:, 2:] = FILE
    peaks = np.zeros(len(architectures), np.int64)
    for uses in part_uses(architectures, to_spec):
        counts = uses.counted(_part_counts_input_stays if uses.input_stays else _part_counts)
        sums[uses.who] += counts[:, :4] * uses.times[:, None]
        peaks[uses.who] = np.maximum(peaks[uses.who], counts[:, 4] + uses.input_size + uses.held)
    return np.column_stack([sums[:, :2], FLOAT_BYTES * peaks, peaks, sums[:, 2:]])


@functools.lru_cache(maxsize=2**16)
def _part_counts(part: Part, *, input_stays: bool = False) -> _Counts:
    """The peak is less the elements of the map that the part's block reads."""
    counts = _counts(part, input_stays=input_stays)
    return counts._replace(peak_elements=counts.peak_elements - math.prod(part.graph.input_shape))


def _part_counts_input_stays(part: Part) -> _Counts:
    """As `_part_counts`, where the block's input is read again after the block, by the head."""
    return _part_counts(part, input_stays=True)


@dataclasses.dataclass(frozen=True)
class ComplexityEstimator(Estimator):
    """An `Estimator` of one field of `Complexity`; `to_spec` as in `complexity_table`."""

    name: str
    unit: str
    field: Literal[
        "num_parameters",
        "num_macs",
        "peak_activation_bytes",
        "peak_activation_bytes_int8",
        "model_bytes",
        "model_bytes_int8",
    ]
    to_spec: ToSpec
    direction: Direction = "min"

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Exact counts, float64 [A]; 100,000 in a few seconds."""
        counts = complexity_table(architectures, self.to_spec)[:, FIELDS.index(self.field)]
        return Estimate(counts.astype(np.float64))


def num_parameters(to_spec: ToSpec) -> ComplexityEstimator:
    """Trainable parameters.

    Examples:
      >>> from proxies import num_parameters
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = num_parameters(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [1438.0]
    """
    return ComplexityEstimator("num_parameters", "parameters", "num_parameters", to_spec)


def num_macs(to_spec: ToSpec) -> ComplexityEstimator:
    """Multiply-accumulates of one image.

    Examples:
      >>> from proxies import num_macs
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = num_macs(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [24096.0]
    """
    return ComplexityEstimator("num_macs", "MACs", "num_macs", to_spec)


def peak_memory_bytes(to_spec: ToSpec) -> ComplexityEstimator:
    """Peak bytes of activations of one image in float32 (see `live_bytes`).

    Examples:
      >>> from proxies import peak_memory_bytes
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = peak_memory_bytes(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [6144.0]
    """
    return ComplexityEstimator("peak_memory_bytes", "bytes", "peak_activation_bytes", to_spec)


def peak_memory_bytes_int8(to_spec: ToSpec) -> ComplexityEstimator:
    """Peak bytes of activations of one image in int8.

    Examples:
      >>> from proxies import peak_memory_bytes_int8
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = peak_memory_bytes_int8(lambda a: space.network_spec(a, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [1536.0]
    """
    return ComplexityEstimator("peak_memory_bytes_int8", "bytes", "peak_activation_bytes_int8", to_spec)


def model_bytes(to_spec: ToSpec) -> ComplexityEstimator:
    """Bytes of the float32 TFLite file (see `model_size`).

    Examples:
      >>> from proxies import model_bytes
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = model_bytes(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [10276.0]
    """
    return ComplexityEstimator("model_bytes", "bytes", "model_bytes", to_spec)


def model_bytes_int8(to_spec: ToSpec) -> ComplexityEstimator:
    """Bytes of the int8 TFLite file.

    Examples:
      >>> from proxies import model_bytes_int8
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = model_bytes_int8(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [10403.0]
    """
    return ComplexityEstimator("model_bytes_int8", "bytes", "model_bytes_int8", to_spec)
