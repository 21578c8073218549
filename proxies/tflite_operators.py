"""The operators and constants that a TFLite file has for each operation of a graph.

Some operations are several operators there: LayerNorm is nine, SiLU two, a strided convolution may be a PAD
and a convolution. Memory and the file's size are counted from these. `model_files.tflite_graph` writes
the file; a test holds this list and its files equal, operator by operator.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from supernet.operations import VALUE, Graph, Op

ConstantKind = Literal["weight", "bias", "float", "int"]


class Operator(NamedTuple):
    """One operator. Tensor 0 is the graph's input; operator i (from 0) makes tensor i + 1.

    name: of its output. size: the output's elements. op: which operation of the graph it is part of.
    """

    name: str
    inputs: tuple[int, ...]
    size: int
    op: int


class Constant(NamedTuple):
    """What an operator reads from the file.

    kind: an eight-bit file has a weight in int8 and a bias in int32, both with a scale for each channel;
        other floats in int8 with one scale; integers as they are. size: elements. channels: of a weight or
        bias, else 1.
    """

    name: str
    kind: ConstantKind
    size: int
    channels: int = 1


@dataclasses.dataclass(frozen=True)
class TFLiteOperators:
    """A graph as a TFLite file has it, in execution order."""

    input_size: int
    operators: tuple[Operator, ...]
    constants: tuple[tuple[Constant, ...], ...]  # by operation of the graph

    def live_elements(self, *, input_stays: bool = False) -> list[int]:
        """Elements of the tensors alive during each operator; with `input_stays` the input is, to the end.

        A tensor lives from the operator that makes it to the last that reads it. None shares its memory with
        another: so TensorFlow Lite Micro plans its arena, RESHAPE included (micro_allocation_info.cc).
        """
        sizes = [self.input_size, *(operator.size for operator in self.operators)]
        last = [max(tensor - 1, 0) for tensor in range(len(sizes))]
        for index, operator in enumerate(self.operators):
            for tensor in operator.inputs:
                last[tensor] = index
        if input_stays:
            last[0] = len(self.operators) - 1
        change = [0] * (len(self.operators) + 1)
        for tensor, size in enumerate(sizes):
            change[max(tensor - 1, 0)] += size
            change[last[tensor] + 1] -= size
        return list(itertools.accumulate(change[:-1]))


def tflite_operators(graph: Graph) -> TFLiteOperators:
    """The operators of any graph, for one image."""
    builder = _Builder(graph)
    for index, op in enumerate(graph.ops):
        builder.begin(index)
        builder.tensors.append(_LOWER[op.kind](builder, op))
    return TFLiteOperators(
        math.prod(graph.input_shape), tuple(builder.operators), tuple(map(tuple, builder.constants))
    )


def written_padding(op: Op, side: int) -> tuple[int, int] | None:
    """Zeros before and after each axis of a map of `side` that a convolution needs an operator for.

    None where TFLite's SAME pads as our convolutions do. Where the stride leaves a choice, SAME puts more
    zeros after than before, ours never.
    """
    total = max((op.shape[0] - 1) * op.stride + op.kernel - side, 0)
    return None if total // 2 == op.padding else (op.padding, total - op.padding)


class _Builder:
    """Appends operators; methods give the tensor that the last of them makes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.operators: list[Operator] = []
        self.constants: list[list[Constant]] = []
        self.tensors = [0]  # by the graph's number of each

    def begin(self, index: int) -> None:
        """What is appended from now on belongs to this operation."""
        self._index, self._op = index, self.graph.ops[index]
        self.constants.append([])

    def x(self, number: int = 0) -> int:
        """The tensor that the operation reads."""
        return self.tensors[self._op.inputs[number]]

    def add(self, inputs: tuple[int, ...], size: int, name: str = "") -> int:
        """An operator; without a name it makes the operation's output."""
        name = f"{self._op.name}/{name}" if name else self._op.name
        self.operators.append(Operator(name, inputs, size, self._index))
        return len(self.operators)

    def constant(self, name: str, kind: ConstantKind, size: int = 1, channels: int = 1) -> None:
        self.constants[-1].append(Constant(f"{self._op.name}/{name}", kind, size, channels))

    def reshape(self, x: int, size: int, axes: int, name: str = "") -> int:
        self.constant(f"{name or 'output'}_shape", "int", axes)
        return self.add((x,), size, name)

    def transpose(self, x: int, size: int, axes: int, name: str = "") -> int:
        self.constant(f"{name or 'output'}_perm", "int", axes)
        return self.add((x,), size, name)

    def weight_and_bias(self, size: int) -> None:
        width = self._op.shape[-1]
        self.constant("weight", "weight", size, width)
        self.constant("bias", "bias", width, width)


def _conv(builder: _Builder, op: Op) -> int:
    side, _, channels = builder.graph.shape(op.inputs[0])
    builder.weight_and_bias(op.kernel**2 * op.shape[-1] * (1 if op.kind == "depthwise" else channels))
    x, padding = builder.x(), written_padding(op, side)
    if padding is not None:
        builder.constant("pads", "int", 8)
        x = builder.add((x,), (side + sum(padding)) ** 2 * channels, "padded")
    return builder.add((x,), math.prod(op.shape))


def _linear(builder: _Builder, op: Op) -> int:
    builder.weight_and_bias(builder.graph.shape(op.inputs[0])[-1] * op.shape[-1])
    return builder.add((builder.x(),), math.prod(op.shape))


def _layer_norm(builder: _Builder, op: Op) -> int:
    x, size, width = builder.x(), math.prod(op.shape), op.shape[-1]
    rows = size // width
    builder.constant("axis", "int")
    mean = builder.add((x,), rows, "mean")
    centred = builder.add((x, mean), size, "centred")
    squares = builder.add((centred, centred), size, "squares")
    variance = builder.add((squares,), rows, "variance")
    builder.constant("epsilon", "float")
    shifted = builder.add((variance,), rows, "shifted")
    inverse = builder.add((shifted,), rows, "inverse")
    normed = builder.add((centred, inverse), size, "normed")
    builder.constant("scale", "float", width)
    scaled = builder.add((normed,), size, "scaled")
    builder.constant("bias", "float", width)
    return builder.add((scaled,), size)


def _activation(builder: _Builder, op: Op) -> int:
    x, size = builder.x(), math.prod(op.shape)
    match op.function:
        case "silu":
            return builder.add((x, builder.add((x,), size, "gate")), size)
        case "hardswish" | "gelu":
            return builder.add((x,), size)
        case "hard_sigmoid":
            builder.constant("three", "float")
            builder.constant("sixth", "float")
            return builder.add((builder.add((x,), size, "gate"),), size)
        case _:  # the operator before computes it
            builder.operators[-1] = builder.operators[-1]._replace(name=op.name)
            return x


def _multiply(builder: _Builder, op: Op) -> int:
    gate = builder.reshape(builder.x(1), op.shape[-1], 4, "gate")
    return builder.add((builder.x(), gate), math.prod(op.shape))


def _elementwise(builder: _Builder, op: Op) -> int:
    """One operator without constants, over all inputs."""
    inputs = tuple(builder.x(number) for number in range(len(op.inputs)))
    return builder.add(inputs, math.prod(op.shape))


def _position(builder: _Builder, op: Op) -> int:
    builder.constant("positions", "float", math.prod(op.shape))
    return _elementwise(builder, op)


def _with_integers(*names: tuple[str, int]) -> Callable[[_Builder, Op], int]:
    """One operator with integers of these names and sizes."""

    def lower(builder: _Builder, op: Op) -> int:
        for name, size in names:
            builder.constant(name, "int", size)
        return builder.add((builder.x(),), math.prod(op.shape))

    return lower


def _fold(builder: _Builder, op: Op) -> int:
    """Unfold or fold: two transpositions, where it is no view."""
    x, size = builder.x(), math.prod(op.shape)
    names = ("columns", "places", "rows", "groups")
    if op.kind == "fold":
        names = ("groups", "rows", "places", "columns")
    if not op.is_view:
        first, second, third, fourth = names
        axes = {"columns": 4, "places": 4, "rows": 3, "groups": 3}
        x = builder.reshape(x, size, axes[first], first)
        x = builder.transpose(x, size, axes[second], second)
        x = builder.reshape(x, size, axes[third], third)
        x = builder.transpose(x, size, axes[fourth], fourth)
    return builder.reshape(x, size, 4 if op.kind == "fold" else 2)


def _split_heads(builder: _Builder, op: Op) -> int:
    size = math.prod(op.shape)
    builder.constant("begin", "int", 2)
    builder.constant("size", "int", 2)
    x = builder.add((builder.x(),), size, "part")
    if op.heads == 1 and op.part != VALUE:
        return builder.reshape(x, size, 4)
    return builder.transpose(builder.reshape(x, size, 4, "heads"), size, 4)


def _scores(builder: _Builder, op: Op) -> int:
    product = builder.add((builder.x(), builder.x(1)), math.prod(op.shape), "product")
    builder.constant("scale", "float")
    return builder.add((product,), math.prod(op.shape))


def _mask(builder: _Builder, op: Op) -> int:
    builder.constant("padding", "float", op.shape[0] * op.shape[2])
    return builder.add((builder.x(),), math.prod(op.shape))


def _merge_heads(builder: _Builder, op: Op) -> int:
    x, size = builder.x(), math.prod(op.shape)
    if op.heads > 1:
        x = builder.transpose(x, size, 4, "tokens")
    return builder.reshape(x, size, 2)


_LOWER: dict[str, Callable[[_Builder, Op], int]] = {
    "conv": _conv,
    "depthwise": _conv,
    "pointwise": _conv,
    "linear": _linear,
    "activation": _activation,
    "add": _elementwise,
    "position": _position,
    "multiply": _multiply,
    "concat": _elementwise,
    "global_pool": _with_integers(("axes", 2)),
    "upsample": _with_integers(("size", 2)),
    "pad": _with_integers(("pads", 8)),
    "crop": _with_integers(("begin", 4), ("size", 4)),
    "unfold": _fold,
    "fold": _fold,
    "layer_norm": _layer_norm,
    "split_heads": _split_heads,
    "scores": _scores,
    "mask": _mask,
    "softmax": _elementwise,
    "mix": _elementwise,
    "merge_heads": _merge_heads,
}
