"""Writes a network's TFLite model directly from its operations, without tracing a program.

Maps are [1, H, W, C], tokens [G * T, d] with T tokens in each of G groups; other letters are those of
`supernet.operations`. Nothing has more than four axes, and maps are enlarged by repeating pixels alone, so
that the integer kernels of microcontrollers can run it; GELU alone, which the search spaces do not have,
TensorFlow Lite Micro lacks.
`proxies.tflite_operators` lists the same operators, to count their memory.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.model_files.folded_weights import EPSILON, FoldedWeights, Tree
from hytnas_jax.model_files.onnx_graph import INPUT, OUTPUT, PADDING_SCORE, padding_keys
from hytnas_jax.model_files.tflite_file import TFLiteFile
from proxies.tflite_operators import written_padding
from supernet.graph import build_graph
from supernet.network_spec import NetworkSpec
from supernet.operations import VALUE, Graph, Op, Shape
from supernet.positions import sine_cosine_positions


def build_tflite(
    spec: NetworkSpec, params: Tree | None = None, stats: Tree | None = None, *, seed: int = 0
) -> bytes:
    """The network as a serialised TFLite model for one image.

    Input `images` float32 [1, R, R, C], already normalised; output `logits` float32 [1, num_classes],
    or [1, H, W, K] with a dense head.

    Args:
        spec: the network.
        params: nested dicts of arrays as `supernet.network` names them; BatchNorm is folded into the
            convolutions. Without, the weights are random: enough to measure a latency.
        stats: BatchNorm's running statistics, given exactly where `params` are.
        seed: of the random weights.

    Raises:
        UserError: for an impossible `spec`, or weights that do not fit it.
    """
    return _write(build_graph(spec), FoldedWeights(params, stats, seed))


def build_tflite_part(graph: Graph) -> bytes:
    """A part of a network, such as a single operation, as a model of its own, with random weights.

    Input `images` and output `logits` are float32, of what the part reads and makes: maps [1, H, W, C], or
    tokens [G * T, d].
    """
    return _write(graph, FoldedWeights(None, None, 0))


def _write(graph: Graph, weights: FoldedWeights) -> bytes:
    writer = _Writer(graph, weights)
    for op in graph.ops:
        _WRITERS[op.kind](writer, op)
    return writer.file.serialise(writer.tensor(0), writer.tensor(graph.ops[-1].output))


class _Writer:
    """Adds operators to a file. A tensor is called as the operation that makes it."""

    def __init__(self, graph: Graph, weights: FoldedWeights) -> None:
        self.graph = graph
        self.weights = weights
        self.file = TFLiteFile(graph.name)
        self._names = [INPUT, *(op.name for op in graph.ops[:-1]), OUTPUT]
        groups, tokens, channels = graph.input_shape
        shape = (groups * tokens, channels) if graph.reads_tokens else (1, *graph.input_shape)
        self._tensors = {0: self.file.tensor(INPUT, shape)}

    def tensor(self, number: int) -> int:
        """Where the file has the tensor that the graph calls `number`."""
        return self._tensors[number]

    def name(self, op: Op) -> str:
        return self._names[op.output]

    def inputs(self, op: Op) -> list[int]:
        return [self._tensors[number] for number in op.inputs]

    def input_shape(self, op: Op) -> Shape:
        return self.graph.shape(op.inputs[0])

    def constant(self, op: Op, name: str, values: NDArray[Any] | Sequence[int] | float) -> int:
        """A tensor of the file's own: float32, or int32 for a sequence of integers."""
        dtype = np.float32 if isinstance(values, float | np.ndarray) else np.int32
        return self.file.constant(f"{op.name}/{name}", np.asarray(values, dtype))

    def step(self, op: Op, name: str, kind: str, inputs: list[int], shape: Shape, **options: Any) -> int:
        """An operator whose output is an intermediate one of the operation."""
        return self.file.operator(kind, inputs, f"{op.name}/{name}", shape, **options)

    def last(self, op: Op, kind: str, inputs: list[int], shape: Shape, **options: Any) -> None:
        """The operator that makes the operation's output."""
        output = self.file.operator(kind, inputs, self.name(op), shape, **options)
        self._tensors[op.output] = output

    def same(self, op: Op, tensor: int) -> None:
        """The operation's output is a tensor that is there."""
        self._tensors[op.output] = tensor

    def reshape(self, op: Op, x: int, shape: Shape, name: str = "") -> int:
        """`x` under another shape: an intermediate one with a name, else the operation's output."""
        inputs = [x, self.constant(op, f"{name or 'output'}_shape", shape)]
        if name:
            return self.step(op, name, "RESHAPE", inputs, shape, new_shape=shape)
        self.last(op, "RESHAPE", inputs, shape, new_shape=shape)
        return self._tensors[op.output]

    def transpose(self, op: Op, x: int, perm: Sequence[int], shape: Shape, name: str = "") -> int:
        """As `reshape`; `shape` is that of the result."""
        inputs = [x, self.constant(op, f"{name or 'output'}_perm", perm)]
        if name:
            return self.step(op, name, "TRANSPOSE", inputs, shape)
        self.last(op, "TRANSPOSE", inputs, shape)
        return self._tensors[op.output]


def _write_conv(writer: _Writer, op: Op) -> None:
    in_shape = writer.input_shape(op)
    kernel, bias = writer.weights.kernel_and_bias(op, in_shape)
    depthwise = op.kind == "depthwise"
    taps = kernel.reshape(op.kernel, op.kernel, -1, op.shape[-1])
    weight = writer.constant(op, "weight", taps.transpose((2, 0, 1, 3) if depthwise else (3, 0, 1, 2)))
    (x,) = writer.inputs(op)
    x, padding = _padded(writer, op, x, in_shape[0])
    inputs = [x, weight, writer.constant(op, "bias", bias)]
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    writer.last(op, kind, inputs, (1, *op.shape), padding=padding, stride=op.stride)


def _padded(writer: _Writer, op: Op, x: int, side: int) -> tuple[int, str]:
    """The input of a convolution over a map of `side`, and its padding."""
    padding = written_padding(op, side)
    if padding is None:
        return x, "SAME"
    pads = np.array([[0, 0], padding, padding, [0, 0]], np.int32)
    padded = side + sum(padding)
    inputs = [x, writer.file.constant(f"{op.name}/pads", pads)]
    shape = (1, padded, padded, writer.input_shape(op)[-1])
    return writer.step(op, "padded", "PAD", inputs, shape), "VALID"


def _write_linear(writer: _Writer, op: Op) -> None:
    kernel, bias = writer.weights.kernel_and_bias(op, writer.input_shape(op))
    weight = writer.constant(op, "weight", kernel.T)
    shape = (math.prod(op.shape[:-1]), op.shape[-1])
    inputs = [*writer.inputs(op), weight, writer.constant(op, "bias", bias)]
    writer.last(op, "FULLY_CONNECTED", inputs, shape)


def _write_layer_norm(writer: _Writer, op: Op) -> None:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, written out."""
    (x,) = writer.inputs(op)
    rows, width = math.prod(op.shape[:-1]), op.shape[-1]
    scale, bias = writer.weights.scale_and_bias(op.weights, width)
    axis = writer.constant(op, "axis", [1])
    mean = writer.step(op, "mean", "MEAN", [x, axis], (rows, 1), keep_dims=True)
    centred = writer.step(op, "centred", "SUB", [x, mean], (rows, width))
    squares = writer.step(op, "squares", "MUL", [centred, centred], (rows, width))
    variance = writer.step(op, "variance", "MEAN", [squares, axis], (rows, 1), keep_dims=True)
    shifted = writer.step(
        op, "shifted", "ADD", [variance, writer.constant(op, "epsilon", EPSILON)], (rows, 1)
    )
    inverse = writer.step(op, "inverse", "RSQRT", [shifted], (rows, 1))
    normed = writer.step(op, "normed", "MUL", [centred, inverse], (rows, width))
    scaled = writer.step(op, "scaled", "MUL", [normed, writer.constant(op, "scale", scale)], (rows, width))
    writer.last(op, "ADD", [scaled, writer.constant(op, "bias", bias)], (rows, width))


def _write_activation(writer: _Writer, op: Op) -> None:
    (x,) = writer.inputs(op)
    shape = writer.file.shape(x)
    match op.function:
        case "relu" | "relu6":
            writer.same(op, writer.file.fuse(x, op.function.upper(), writer.name(op)))
        case "silu":
            gate = writer.step(op, "gate", "LOGISTIC", [x], shape)
            writer.last(op, "MUL", [x, gate], shape)
        case "hardswish":
            writer.last(op, "HARD_SWISH", [x], shape)
        case "gelu":
            writer.last(op, "GELU", [x], shape)
        case "hard_sigmoid":
            inputs = [x, writer.constant(op, "three", 3.0)]
            six = writer.step(op, "gate", "ADD", inputs, shape, fused="RELU6")
            writer.last(op, "MUL", [six, writer.constant(op, "sixth", 1 / 6)], shape)


def _write_multiply(writer: _Writer, op: Op) -> None:
    x, gate = writer.inputs(op)
    gate = writer.reshape(op, gate, (1, 1, 1, op.shape[-1]), "gate")
    writer.last(op, "MUL", [x, gate], (1, *op.shape))


def _write_global_pool(writer: _Writer, op: Op) -> None:
    axes = writer.constant(op, "axes", [1, 2])
    writer.last(op, "MEAN", [*writer.inputs(op), axes], (1, *op.shape), keep_dims=False)


def _write_pad(writer: _Writer, op: Op) -> None:
    height, width, _ = writer.input_shape(op)
    pads = np.array([[0, 0], [0, op.shape[0] - height], [0, op.shape[1] - width], [0, 0]], np.int32)
    inputs = [*writer.inputs(op), writer.file.constant(f"{op.name}/pads", pads)]
    writer.last(op, "PAD", inputs, (1, *op.shape))


def _write_upsample(writer: _Writer, op: Op) -> None:
    inputs = [*writer.inputs(op), writer.constant(op, "size", op.shape[:2])]
    writer.last(op, "RESIZE_NEAREST_NEIGHBOR", inputs, (1, *op.shape))


def _write_crop(writer: _Writer, op: Op) -> None:
    shape = (1, *op.shape)
    inputs = [*writer.inputs(op), writer.constant(op, "begin", [0] * 4), writer.constant(op, "size", shape)]
    writer.last(op, "SLICE", inputs, shape)


def _write_unfold(writer: _Writer, op: Op) -> None:
    """Map to tokens: the pixels at the same place of their patches side by side, by two transpositions."""
    (x,) = writer.inputs(op)
    height, width, d = writer.input_shape(op)
    p = op.patch
    if not op.is_view:
        rows, columns = height // p, width // p
        x = writer.reshape(op, x, (height, columns, p, d), "columns")
        x = writer.transpose(op, x, (0, 2, 1, 3), (height, p, columns, d), "places")
        x = writer.reshape(op, x, (rows, p * p, columns * d), "rows")
        x = writer.transpose(op, x, (1, 0, 2), (p * p, rows, columns * d), "groups")
    writer.reshape(op, x, (height * width, d))


def _write_fold(writer: _Writer, op: Op) -> None:
    """Tokens to map, the inverse of `_write_unfold`."""
    (x,) = writer.inputs(op)
    height, width, d = op.shape
    p = op.patch
    if not op.is_view:
        rows, columns = height // p, width // p
        x = writer.reshape(op, x, (p * p, rows, columns * d), "groups")
        x = writer.transpose(op, x, (1, 0, 2), (rows, p * p, columns * d), "rows")
        x = writer.reshape(op, x, (height, p, columns, d), "places")
        x = writer.transpose(op, x, (0, 2, 1, 3), (height, columns, p, d), "columns")
    writer.reshape(op, x, (1, height, width, d))


def _write_split_heads(writer: _Writer, op: Op) -> None:
    """Query and key [G, heads, T, d / heads], the value transposed: [..., d / heads, T].

    The heads are interleaved in what the layer gives. TensorFlow Lite Micro multiplies by a transposed
    matrix; of one that is not it keeps a copy for good, one for each layer.
    """
    groups, heads, tokens, size = op.shape
    d = heads * size
    begin, extent = writer.constant(op, "begin", [0, op.part * d]), (groups * tokens, d)
    inputs = [*writer.inputs(op), begin, writer.constant(op, "size", extent)]
    x = writer.step(op, "part", "SLICE", inputs, extent)
    if heads == 1 and op.part != VALUE:
        writer.reshape(op, x, op.shape)
        return
    x = writer.reshape(op, x, (groups, tokens, size, heads), "heads")
    if op.part == VALUE:
        writer.transpose(op, x, (0, 3, 2, 1), (groups, heads, size, tokens))
    else:
        writer.transpose(op, x, (0, 3, 1, 2), op.shape)


def _write_scores(writer: _Writer, op: Op) -> None:
    x = writer.step(op, "product", "BATCH_MATMUL", writer.inputs(op), op.shape)
    scale = writer.constant(op, "scale", 1 / math.sqrt(writer.input_shape(op)[-1]))
    writer.last(op, "MUL", [x, scale], op.shape)


def _write_mask(writer: _Writer, op: Op) -> None:
    groups, _, tokens, _ = op.shape
    mask = np.where(padding_keys(op.side, op.patch), PADDING_SCORE, np.float32(0))
    padding = writer.constant(op, "padding", mask.reshape(groups, 1, 1, tokens))
    writer.last(op, "ADD", [*writer.inputs(op), padding], op.shape)


def _write_merge_heads(writer: _Writer, op: Op) -> None:
    (x,) = writer.inputs(op)
    groups, heads, tokens, size = writer.input_shape(op)
    if heads > 1:
        x = writer.transpose(op, x, (0, 2, 3, 1), (groups, tokens, size, heads), "tokens")
    writer.reshape(op, x, (groups * tokens, size * heads))


def _write_add(writer: _Writer, op: Op) -> None:
    x, y = writer.inputs(op)
    writer.last(op, "ADD", [x, y], writer.file.shape(x))


def _write_position(writer: _Writer, op: Op) -> None:
    positions = writer.constant(op, "positions", sine_cosine_positions(*op.shape)[None])
    writer.last(op, "ADD", [*writer.inputs(op), positions], (1, *op.shape))


_WRITERS: dict[str, Callable[[_Writer, Op], None]] = {
    "conv": _write_conv,
    "depthwise": _write_conv,
    "pointwise": _write_conv,
    "linear": _write_linear,
    "activation": _write_activation,
    "add": _write_add,
    "position": _write_position,
    "multiply": _write_multiply,
    "concat": lambda writer, op: writer.last(op, "CONCATENATION", writer.inputs(op), (1, *op.shape), axis=3),
    "global_pool": _write_global_pool,
    "upsample": _write_upsample,
    "pad": _write_pad,
    "crop": _write_crop,
    "unfold": _write_unfold,
    "fold": _write_fold,
    "layer_norm": _write_layer_norm,
    "split_heads": _write_split_heads,
    "scores": _write_scores,
    "mask": _write_mask,
    "softmax": lambda writer, op: writer.last(op, "SOFTMAX", writer.inputs(op), op.shape),
    "mix": lambda writer, op: writer.last(op, "BATCH_MATMUL", writer.inputs(op), op.shape),
    "merge_heads": _write_merge_heads,
}
