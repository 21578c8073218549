"""Lowers a network into its operations, in execution order, for one picture and for inference.

Parameters, multiply-accumulates, peak memory (`proxies.complexity`), latency features and ONNX
files all come from this one list. BatchNorm is folded into its convolution: it is no operation of
its own, but its scale and shift count as the convolution's parameters. Shape letters are those of
`operations`.
"""

import functools
import math
from typing import Literal

from supernet.network_spec import (
    Activation,
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    SeparableSpec,
)
from supernet.operations import KEY, QUERY, VALUE, Function, Graph, Kind, Op, Shape
from supernet.spec_checks import check_network_spec


def build_graph(spec: NetworkSpec) -> Graph:
    """Lowers `spec`.

    Raises:
        UserError: for a specification that no network can have (`spec_checks`).
    """
    check_network_spec(spec)
    builder = _Builder(spec)
    x = 0
    for index, block in enumerate(spec.blocks):
        builder.scope = f"blocks/{index}"
        x = _lower_block(builder, x, block)
    builder.scope = "head"
    _lower_head(builder, x, spec.head, spec.num_classes)
    return Graph(spec, tuple(builder.ops))


def part_graphs(spec: NetworkSpec) -> tuple[Graph, ...]:
    """Lowers each block alone, and the head: every graph reads the map before its part as its tensor 0.

    Between two blocks a single tensor is alive, so that what is a sum or a maximum over operations is one
    over parts. Thousands of candidates share a few hundred parts: equal ones are the same `Graph`, lowered
    once, and whatever is counted of it can be kept with it.

    Raises:
        UserError: for a specification that no network can have (`spec_checks`).
    """
    check_network_spec(spec)
    side, channels, graphs = spec.resolution, spec.channels, []
    for block in spec.blocks:
        graphs.append(_block_graph(block, side, channels, spec.counts_statistics))
        side, _, channels = graphs[-1].ops[-1].shape
    return (*graphs, _head_graph(spec.head, side, channels, spec.num_classes, spec.counts_statistics))


@functools.lru_cache(maxsize=2**16)
def _block_graph(spec: BlockSpec, side: int, channels: int, counts_statistics: bool) -> Graph:
    alone = NetworkSpec("block", side, channels, 1, (spec,), HeadSpec(0), counts_statistics)
    builder = _Builder(alone)
    builder.scope = "blocks/0"
    _lower_block(builder, 0, spec)
    return Graph(alone, tuple(builder.ops))


@functools.lru_cache(maxsize=2**16)
def _head_graph(spec: HeadSpec, side: int, channels: int, num_classes: int, counts_statistics: bool) -> Graph:
    alone = NetworkSpec("head", side, channels, num_classes, (), spec, counts_statistics)
    builder = _Builder(alone)
    builder.scope = "head"
    _lower_head(builder, 0, spec, num_classes)
    return Graph(alone, tuple(builder.ops))


def effective_patch(patch: int, height: int, width: int) -> int:
    """The patch side used on a map: no larger than the map, so that no group is padding alone."""
    return min(patch, max(height, width))


class _Builder:
    """Appends operations; methods take tensor ids and return the id of the tensor they make."""

    def __init__(self, spec: NetworkSpec) -> None:
        self.ops: list[Op] = []
        self.scope = ""
        self._input_shape = (spec.resolution, spec.resolution, spec.channels)
        self._norm_size = 4 if spec.counts_statistics else 2

    def shape(self, tensor: int) -> Shape:
        return self.ops[tensor - 1].shape if tensor else self._input_shape

    def path(self, name: str) -> str:
        return f"{self.scope}/{name}"

    @property
    def next(self) -> int:
        return len(self.ops) + 1

    def append(self, op: Op) -> int:
        self.ops.append(op)
        return op.output

    def conv(
        self,
        x: int,
        kind: Literal["conv", "depthwise", "pointwise"],
        name: str,
        width: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        bias: bool = False,
        norm: str = "",
        activation: Activation = "none",
    ) -> int:
        """A convolution of any kind, padded by kernel // 2, its BatchNorm and its activation."""
        height, side, channels = self.shape(x)
        shape = (math.ceil(height / stride), math.ceil(side / stride), width)
        size = kernel * kernel * width * (1 if kind == "depthwise" else channels)
        parameters = size + width * bias + (self._norm_size * width if norm else 0)
        y = self.append(
            Op(
                kind,
                self.path(name),
                (x,),
                self.next,
                shape,
                weights=self.path(name),
                norm=self.path(norm) if norm else "",
                bias=bias,
                num_parameters=parameters,
                num_macs=shape[0] * shape[1] * size,
                kernel=kernel,
                stride=stride,
            )
        )
        return self.activation(y, name, activation)

    def linear(self, x: int, name: str, width: int, *, value_only: bool = False) -> int:
        """A biased linear layer over the last axis. With `value_only` it is a layer of query, key
        and value side by side of which only the last is computed."""
        *rows, channels = self.shape(x)
        computed = width // 3 if value_only else width
        return self.append(
            Op(
                "linear",
                self.path(name),
                (x,),
                self.next,
                (*rows, computed),
                weights=self.path(name),
                bias=True,
                num_parameters=channels * width + width,
                num_macs=math.prod(rows) * channels * computed,
                part=VALUE if value_only else 0,
            )
        )

    def layer_norm(self, x: int, name: str) -> int:
        shape = self.shape(x)
        path = self.path(name)
        size = 2 * shape[-1]
        return self.append(Op("layer_norm", path, (x,), self.next, shape, weights=path, num_parameters=size))

    def activation(self, x: int, name: str, function: Function) -> int:
        if function == "none":
            return x
        path = self.path(f"{name}/{function}")
        return self.append(Op("activation", path, (x,), self.next, self.shape(x), function=function))

    def move(
        self,
        x: int,
        kind: Kind,
        name: str,
        shape: Shape,
        *,
        patch: int = 1,
        heads: int = 1,
        part: int = 0,
        is_view: bool = False,
    ) -> int:
        """Data carried to other places, nothing computed: pad, crop, (un)fold, split or merge."""
        path = self.path(name)
        return self.append(
            Op(
                kind,
                path,
                (x,),
                self.next,
                shape,
                patch=patch,
                heads=heads,
                part=part,
                is_view=is_view,
            )
        )

    def add(self, x: int, y: int, name: str) -> int:
        return self.append(Op("add", self.path(name), (x, y), self.next, self.shape(x)))

    def global_pool(self, x: int, name: str) -> int:
        return self.append(Op("global_pool", self.path(name), (x,), self.next, self.shape(x)[-1:]))


def _lower_block(builder: _Builder, x: int, spec: BlockSpec) -> int:
    match spec:
        case ConvSpec():
            return builder.conv(
                x,
                "conv" if spec.kernel > 1 else "pointwise",
                "conv",
                spec.width,
                kernel=spec.kernel,
                stride=spec.stride,
                bias=spec.bias,
                norm="norm",
                activation=spec.activation,
            )
        case SeparableSpec():
            return _lower_separable(builder, x, spec)
        case InvertedResidualSpec():
            return _lower_inverted_residual(builder, x, spec)
        case MobileViTSpec():
            return _lower_mobilevit(builder, x, spec)


def _lower_separable(builder: _Builder, x: int, spec: SeparableSpec) -> int:
    x = builder.conv(
        x,
        "depthwise",
        "depthwise",
        builder.shape(x)[-1],
        kernel=spec.kernel,
        stride=spec.stride,
        bias=spec.bias,
        norm="depthwise_norm",
        activation=spec.activation,
    )
    return builder.conv(
        x,
        "pointwise",
        "pointwise",
        spec.width,
        bias=spec.bias,
        norm="pointwise_norm",
        activation=spec.activation,
    )


def _lower_inverted_residual(builder: _Builder, x: int, spec: InvertedResidualSpec) -> int:
    y = x
    if spec.expand:
        y = builder.conv(
            x, "pointwise", "expand", spec.hidden, norm="expand_norm", activation=spec.activation
        )
    y = builder.conv(
        y,
        "depthwise",
        "depthwise",
        spec.hidden,
        kernel=spec.kernel,
        stride=spec.stride,
        norm="depthwise_norm",
        activation=spec.activation,
    )
    if spec.squeeze:
        gate = builder.global_pool(y, "squeeze/pool")
        gate = builder.activation(builder.linear(gate, "squeeze", spec.squeeze), "squeeze", "relu")
        gate = builder.linear(gate, "excite", spec.hidden)
        gate = builder.activation(gate, "excite", "hard_sigmoid")
        path, shape = builder.path("excite/multiply"), builder.shape(y)
        y = builder.append(Op("multiply", path, (y, gate), builder.next, shape))
    y = builder.conv(y, "pointwise", "project", spec.width, norm="project_norm")
    if spec.stride == 1 and builder.shape(x) == builder.shape(y):
        y = builder.add(x, y, "residual")
    return y


def _lower_mobilevit(builder: _Builder, x: int, spec: MobileViTSpec) -> int:
    """Local convolution, transformer over pixels that share a place, fusion with the input."""
    height, width, channels = builder.shape(x)
    y = builder.conv(x, "conv", "local", channels, kernel=spec.kernel, norm="local_norm", activation="silu")
    y = builder.conv(y, "pointwise", "embed", spec.embed, norm="embed_norm" if spec.embed_norm else "")
    y = _lower_transformer(builder, y, spec)
    y = builder.conv(y, "pointwise", "back", channels, norm="back_norm", activation="silu")
    path, shape = builder.path("concat"), (height, width, 2 * channels)
    y = builder.append(Op("concat", path, (x, y), builder.next, shape))
    return builder.conv(y, "conv", "fuse", channels, kernel=spec.kernel, norm="fuse_norm", activation="silu")


def _lower_transformer(builder: _Builder, x: int, spec: MobileViTSpec) -> int:
    """Unfolds the map [H, W, d], runs the layers, folds it back."""
    height, width, d = builder.shape(x)
    patch = effective_patch(spec.patch, height, width)
    rows, columns = math.ceil(height / patch), math.ceil(width / patch)
    padded = (rows * patch, columns * patch, d)
    is_padded = padded[:2] != (height, width)
    tokens = (patch * patch, rows * columns, d)
    is_view = 1 in tokens[:2]  # one group, or groups of one pixel: the pixels stay in their order

    if is_padded:
        x = builder.move(x, "pad", "pad", padded)
    x = builder.move(x, "unfold", "unfold", tokens, patch=patch, is_view=is_view)
    for index in range(spec.depth):
        x = _lower_layer(builder, x, spec, index, patch, height if is_padded else 0)
    x = builder.layer_norm(x, "norm")
    x = builder.move(x, "fold", "fold", padded, patch=patch, is_view=is_view)
    return builder.move(x, "crop", "crop", (height, width, d)) if is_padded else x


def _lower_layer(
    builder: _Builder, x: int, spec: MobileViTSpec, index: int, patch: int, padded_side: int
) -> int:
    """One pre-norm layer on tokens [G, N, d]; `padded_side` is 0 where nothing was padded."""
    layer = f"layers/{index}"
    y = builder.layer_norm(x, f"{layer}/norm1")
    single = builder.shape(x)[1] == 1  # a softmax over one token is 1: attention is the value
    y = builder.linear(y, f"{layer}/qkv", 3 * spec.embed, value_only=single)
    if not single:
        y = _lower_attention(builder, y, layer, spec.heads, patch, padded_side)
    y = builder.linear(y, f"{layer}/attention_out", spec.embed)
    x = builder.add(x, y, f"{layer}/attention_residual")
    y = builder.layer_norm(x, f"{layer}/norm2")
    y = builder.linear(y, f"{layer}/ffn_in", spec.ffn)
    y = builder.activation(y, f"{layer}/ffn_in", "silu")
    y = builder.linear(y, f"{layer}/ffn_out", spec.embed)
    return builder.add(x, y, f"{layer}/ffn_residual")


def _lower_attention(
    builder: _Builder, qkv: int, layer: str, heads: int, patch: int, padded_side: int
) -> int:
    """softmax(q k^T / sqrt(d / heads)) v, heads interleaved: [G, N, 3d] -> [G, N, d]."""
    groups, tokens, width = builder.shape(qkv)
    d = width // 3
    head_shape = (groups, heads, tokens, d // heads)
    scores_shape = (groups, heads, tokens, tokens)
    macs = groups * tokens * tokens * d

    def split(part: int, name: str) -> int:
        name = f"{layer}/{name}"
        return builder.move(qkv, "split_heads", name, head_shape, heads=heads, part=part)

    def compute(kind: Kind, inputs: tuple[int, ...], shape: Shape, num_macs: int = 0) -> int:
        path = builder.path(f"{layer}/{kind}")
        op = Op(kind, path, inputs, builder.next, shape, num_macs=num_macs, heads=heads)
        return builder.append(op)

    query, key, value = split(QUERY, "query"), split(KEY, "key"), split(VALUE, "value")
    y = compute("scores", (query, key), scores_shape, macs)
    if padded_side:
        path = builder.path(f"{layer}/mask")
        op = Op("mask", path, (y,), builder.next, scores_shape, patch=patch, side=padded_side)
        y = builder.append(op)
    y = compute("softmax", (y,), scores_shape)
    y = compute("mix", (y, value), head_shape, macs)
    shape, name = (groups, tokens, d), f"{layer}/merge_heads"
    return builder.move(y, "merge_heads", name, shape, heads=heads, is_view=heads == 1)


def _lower_head(builder: _Builder, x: int, spec: HeadSpec, num_classes: int) -> int:
    if spec.width:
        x = builder.conv(x, "pointwise", "conv", spec.width, norm="norm", activation=spec.activation)
    x = builder.global_pool(x, "pool")
    if spec.hidden:
        x = builder.linear(x, "hidden", spec.hidden)
        x = builder.activation(x, "hidden", spec.activation)
    return builder.linear(x, "classifier", num_classes)
