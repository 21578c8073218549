"""Writes a network's ONNX graph directly from its operations, without tracing a program.

Batch letter: the symbolic `N`; the others are those of `supernet.operations`. Maps are [N, C, H, W]
inside, tokens [N * G * T, d] with T tokens in each of the image's G groups: two axes, so that a
linear layer is one Gemm.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hytnas_jax.model_files.folded_weights import EPSILON, FoldedWeights, Tree
from supernet.graph import build_graph
from supernet.network_spec import DenseHeadSpec, NetworkSpec
from supernet.operations import KEY, Graph, Op, Shape
from supernet.positions import sine_cosine_positions

OPSET = 21
IR_VERSION = 10
INPUT, OUTPUT = "images", "logits"
# Added to the score of a key that is padding: enough for a softmax to forget it where trained scores differ
# by as much as 100, and little enough for eight bits to tell the other scores apart.
PADDING_SCORE = np.float32(-128)
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def build_onnx(
    spec: NetworkSpec, params: Tree | None = None, stats: Tree | None = None, *, seed: int = 0
) -> bytes:
    """The network as a serialised ONNX model, opset 21.

    Input `images` float32 [N, R, R, C], already normalised, N symbolic; output `logits` float32
    [N, num_classes], or [N, H, W, K] with a dense head.

    Args:
        spec: the network.
        params: nested dicts of arrays as `supernet.network` names them; BatchNorm is folded into the
            convolutions. Without, the weights are random: enough to measure a latency.
        stats: BatchNorm's running statistics, given exactly where `params` are.
        seed: of the random weights.

    Raises:
        UserError: for an impossible `spec`, or weights that do not fit it.
    """
    graph = build_graph(spec)
    shape, is_map = graph.ops[-1].shape, isinstance(spec.head, DenseHeadSpec)
    writer = _Writer(graph, FoldedWeights(params, stats, seed), "pixels", "cells" if is_map else OUTPUT)
    writer.add("Transpose", [INPUT], ["pixels"], perm=TO_CHANNELS_FIRST)
    writer.write()
    if is_map:
        writer.add("Transpose", ["cells"], [OUTPUT], perm=TO_CHANNELS_LAST)
    return writer.serialise(("N", *graph.input_shape), ("N", *shape))


def build_onnx_part(graph: Graph) -> bytes:
    """A part of a network, such as a single operation, as a model of its own, with random weights.

    Input `images` and output `logits` are float32, of what the part reads and makes: maps with their channels
    first [N, C, H, W], as between the operations of a network, or tokens [N * G * T, d].
    """
    writer = _Writer(graph, FoldedWeights(None, None, 0), INPUT, OUTPUT)
    writer.write()
    shapes = (graph.input_shape, graph.ops[-1].shape)
    return writer.serialise(*(_part_shape(shape, graph.reads_tokens) for shape in shapes))


def _part_shape(shape: Shape, is_tokens: bool) -> tuple[str | int, ...]:
    first, second, channels = shape
    return (first * second, channels) if is_tokens else ("N", channels, first, second)


class _Writer:
    """Collects nodes and initializers. A tensor is called as the operation that makes it."""

    def __init__(self, graph: Graph, weights: FoldedWeights, source: str, result: str) -> None:
        """`source` is what the graph's tensor 0 is called, `result` its last one."""
        self.graph = graph
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._names = [source, *(op.name for op in graph.ops[:-1]), result]

    def write(self) -> None:
        """Adds all operations of the graph."""
        for op in self.graph.ops:
            _WRITERS[op.kind](self, op)

    def serialise(self, input_shape: Sequence[str | int], output_shape: Sequence[str | int]) -> bytes:
        """The whole model."""
        model = helper.make_model(
            helper.make_graph(
                self.nodes,
                self.graph.name,
                [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, input_shape)],
                [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, output_shape)],
                self.initializers,
            ),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="hytnas_jax",
        )
        return model.SerializeToString()

    def inputs(self, op: Op) -> list[str]:
        return [self._names[tensor] for tensor in op.inputs]

    def input_shape(self, op: Op) -> Shape:
        return self.graph.shape(op.inputs[0])

    def constant(self, name: str, values: NDArray[Any] | np.float32) -> str:
        """An initializer; returns its name."""
        self.initializers.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def integers(self, name: str, values: Sequence[int]) -> str:
        """An int64 initializer; returns its name."""
        return self.constant(name, np.array(values, np.int64))

    def node(
        self,
        op: Op,
        kind: str,
        inputs: list[str],
        *,
        step: str = "",
        **attributes: Any,
    ) -> str:
        """An ONNX node of the operation; the one without `step` makes its output."""
        output = f"{op.name}/{step}" if step else self._names[op.output]
        self.add(kind, inputs, [output], **attributes)
        return output

    def reshape(self, op: Op, x: str, shape: tuple[int, ...], *, step: str = "") -> str:
        """To `shape`, where -1 stands for what holds the batch."""
        name = self.integers(f"{op.name}/{step or 'output'}_shape", shape)
        return self.node(op, "Reshape", [x, name], step=step)

    def add(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """A node, called as its first output."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], **attributes))


def _write_conv(writer: _Writer, op: Op) -> None:
    kernel, bias = writer.weights.kernel_and_bias(op, writer.input_shape(op))
    channels = writer.input_shape(op)[-1]
    groups = channels if op.kind == "depthwise" else 1
    taps = kernel.reshape(op.kernel, op.kernel, channels // groups, op.shape[-1])
    weight = writer.constant(f"{op.name}/weight", taps.transpose(3, 2, 0, 1))
    inputs = [*writer.inputs(op), weight, writer.constant(f"{op.name}/bias", bias)]
    writer.node(
        op,
        "Conv",
        inputs,
        kernel_shape=(op.kernel, op.kernel),
        strides=(op.stride, op.stride),
        pads=(op.padding,) * 4,
        group=groups,
    )


def _write_linear(writer: _Writer, op: Op) -> None:
    kernel, bias = writer.weights.kernel_and_bias(op, writer.input_shape(op))
    weight = writer.constant(f"{op.name}/weight", kernel)
    shift = writer.constant(f"{op.name}/bias", bias)
    writer.node(op, "Gemm", [*writer.inputs(op), weight, shift])


def _write_layer_norm(writer: _Writer, op: Op) -> None:
    scale, bias = writer.weights.scale_and_bias(op.weights, op.shape[-1])
    inputs = [
        *writer.inputs(op),
        writer.constant(f"{op.name}/scale", scale),
        writer.constant(f"{op.name}/bias", bias),
    ]
    writer.node(op, "LayerNormalization", inputs, axis=-1, epsilon=EPSILON)


def _write_activation(writer: _Writer, op: Op) -> None:
    (x,) = writer.inputs(op)
    match op.function:
        case "relu":
            writer.node(op, "Relu", [x])
        case "relu6":
            low = writer.constant(f"{op.name}/low", np.float32(0))
            writer.node(op, "Clip", [x, low, writer.constant(f"{op.name}/high", np.float32(6))])
        case "silu":
            writer.node(op, "Mul", [x, writer.node(op, "Sigmoid", [x], step="gate")])
        case "hardswish":
            gate = writer.node(op, "HardSigmoid", [x], step="gate", alpha=1 / 6, beta=0.5)
            writer.node(op, "Mul", [x, gate])
        case "hard_sigmoid":
            writer.node(op, "HardSigmoid", [x], alpha=1 / 6, beta=0.5)
        case "gelu":
            writer.node(op, "Gelu", [x])


def _write_position(writer: _Writer, op: Op) -> None:
    positions = sine_cosine_positions(*op.shape).transpose(2, 0, 1)
    writer.node(op, "Add", [*writer.inputs(op), writer.constant(f"{op.name}/positions", positions[None])])


def _write_multiply(writer: _Writer, op: Op) -> None:
    x, gate = writer.inputs(op)
    gate = writer.reshape(op, gate, (-1, op.shape[-1], 1, 1), step="gate")
    writer.node(op, "Mul", [x, gate])


def _write_global_pool(writer: _Writer, op: Op) -> None:
    pooled = writer.node(op, "GlobalAveragePool", writer.inputs(op), step="mean")
    writer.node(op, "Flatten", [pooled], axis=1)


def _write_pad(writer: _Writer, op: Op) -> None:
    height, width, _ = writer.input_shape(op)
    below, right = op.shape[0] - height, op.shape[1] - width
    pads = writer.integers(f"{op.name}/pads", (0, 0, 0, 0, 0, 0, below, right))
    writer.node(op, "Pad", [*writer.inputs(op), pads])


def _write_upsample(writer: _Writer, op: Op) -> None:
    (x,) = writer.inputs(op)
    scales = writer.constant(f"{op.name}/scales", np.array([1, 1, 2, 2], np.float32))
    rule = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    writer.node(op, "Resize", [x, "", scales], **rule)


def _write_crop(writer: _Writer, op: Op) -> None:
    bounds = {"starts": [0, 0], "ends": list(op.shape[:2]), "axes": [2, 3]}
    names = [writer.integers(f"{op.name}/{n}", v) for n, v in bounds.items()]
    writer.node(op, "Slice", [*writer.inputs(op), *names])


def _write_unfold(writer: _Writer, op: Op) -> None:
    """Map to tokens: the pixels at the same place of their patches side by side."""
    (x,) = writer.inputs(op)
    height, width, d = writer.input_shape(op)
    p = op.patch
    if op.is_view:
        x = writer.node(op, "Transpose", [x], step="rows", perm=TO_CHANNELS_LAST)
    else:
        x = writer.reshape(op, x, (-1, d, height // p, p, width // p, p), step="patches")
        x = writer.node(op, "Transpose", [x], step="places", perm=(0, 3, 5, 2, 4, 1))
    writer.reshape(op, x, (-1, op.shape[-1]))


def _write_fold(writer: _Writer, op: Op) -> None:
    """Tokens to map, the inverse of `_write_unfold`."""
    (x,) = writer.inputs(op)
    height, width, d = op.shape
    p = op.patch
    if op.is_view:
        x = writer.reshape(op, x, (-1, height, width, d), step="rows")
        writer.node(op, "Transpose", [x], perm=TO_CHANNELS_FIRST)
        return
    x = writer.reshape(op, x, (-1, p, p, height // p, width // p, d), step="places")
    x = writer.node(op, "Transpose", [x], step="patches", perm=(0, 5, 3, 1, 4, 2))
    writer.reshape(op, x, (-1, d, height, width))


def _write_split_heads(writer: _Writer, op: Op) -> None:
    """Query and value [N * G, heads, T, d / heads], the key transposed: [..., d / heads, T]."""
    _, heads, tokens, size = op.shape
    d = heads * size
    bounds = {"starts": [op.part * d], "ends": [(op.part + 1) * d], "axes": [1]}
    names = [writer.integers(f"{op.name}/{n}", v) for n, v in bounds.items()]
    x = writer.node(op, "Slice", [*writer.inputs(op), *names], step="part")
    x = writer.reshape(op, x, (-1, tokens, size, heads), step="heads")
    perm = (0, 3, 2, 1) if op.part == KEY else (0, 3, 1, 2)
    writer.node(op, "Transpose", [x], perm=perm)


def _write_scores(writer: _Writer, op: Op) -> None:
    size = writer.input_shape(op)[-1]
    x = writer.node(op, "MatMul", writer.inputs(op), step="product")
    scale = writer.constant(f"{op.name}/scale", np.float32(1 / math.sqrt(size)))
    writer.node(op, "Mul", [x, scale])


def _write_mask(writer: _Writer, op: Op) -> None:
    """Adds `PADDING_SCORE` where the key is padding, the same in every image."""
    (x,) = writer.inputs(op)
    groups, heads, tokens, _ = op.shape
    mask = np.where(padding_keys(op.side, op.patch), PADDING_SCORE, np.float32(0))
    name = writer.constant(f"{op.name}/padding", mask.reshape(groups, 1, 1, tokens))
    x = writer.reshape(op, x, (-1, groups, heads, tokens, tokens), step="images")
    x = writer.node(op, "Add", [x, name], step="masked")
    writer.reshape(op, x, (-1, heads, tokens, tokens))


def padding_keys(side: int, patch: int) -> NDArray[np.bool_]:
    """Which tokens of each group are padding of a side x side map: bool [patch * patch, T]."""
    patches = math.ceil(side / patch)
    positions = np.arange(patches * patch).reshape(patches, patch)
    inside = side > positions.T  # [place, patch], one axis of the map
    both = inside[:, None, :, None] & inside[None, :, None, :]
    return ~both.reshape(patch * patch, patches * patches)


def _write_merge_heads(writer: _Writer, op: Op) -> None:
    x = writer.node(op, "Transpose", writer.inputs(op), step="tokens", perm=(0, 2, 3, 1))
    writer.reshape(op, x, (-1, op.shape[-1]))


_WRITERS: dict[str, Callable[[_Writer, Op], object]] = {
    "conv": _write_conv,
    "depthwise": _write_conv,
    "pointwise": _write_conv,
    "linear": _write_linear,
    "activation": _write_activation,
    "add": lambda writer, op: writer.node(op, "Add", writer.inputs(op)),
    "position": _write_position,
    "multiply": _write_multiply,
    "concat": lambda writer, op: writer.node(op, "Concat", writer.inputs(op), axis=1),
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
    "softmax": lambda writer, op: writer.node(op, "Softmax", writer.inputs(op), axis=-1),
    "mix": lambda writer, op: writer.node(op, "MatMul", writer.inputs(op)),
    "merge_heads": _write_merge_heads,
}
