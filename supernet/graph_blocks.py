"""Lowers blocks, and a network's head, into operations: one function for each kind of block."""

import math
from collections.abc import Sequence

from supernet.graph_builder import GraphBuilder
from supernet.network_spec import (
    Activation,
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)
from supernet.operations import KEY, QUERY, VALUE, Kind, Op, Shape


def lower_block(builder: GraphBuilder, x: int, spec: BlockSpec) -> int:
    """Appends a block that reads tensor `x`; returns what it makes."""
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
        case PatchEmbedSpec():
            x = builder.conv(
                x, "conv", "conv", spec.width, kernel=spec.patch, stride=spec.patch, padding=0, bias=True
            )
            path, shape = builder.path("position"), builder.shape(x)
            return builder.append(Op("position", path, (x,), builder.next, shape))
        case TransformerSpec():
            return _lower_transformer(builder, x, spec, patch=1, activation="gelu")


def _lower_separable(builder: GraphBuilder, x: int, spec: SeparableSpec) -> int:
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


def _lower_inverted_residual(builder: GraphBuilder, x: int, spec: InvertedResidualSpec) -> int:
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


def _lower_mobilevit(builder: GraphBuilder, x: int, spec: MobileViTSpec) -> int:
    """Local convolution, transformer over pixels that share a place, fusion with the input."""
    height, width, channels = builder.shape(x)
    y = builder.conv(x, "conv", "local", channels, kernel=spec.kernel, norm="local_norm", activation="silu")
    y = builder.conv(y, "pointwise", "embed", spec.embed, norm="embed_norm" if spec.embed_norm else "")
    y = _lower_transformer(builder, y, spec, patch=spec.patch, activation="silu")
    y = builder.conv(y, "pointwise", "back", channels, norm="back_norm", activation="silu")
    path, shape = builder.path("concat"), (height, width, 2 * channels)
    y = builder.append(Op("concat", path, (x, y), builder.next, shape))
    return builder.conv(y, "conv", "fuse", channels, kernel=spec.kernel, norm="fuse_norm", activation="silu")


def _lower_transformer(
    builder: GraphBuilder,
    x: int,
    spec: MobileViTSpec | TransformerSpec,
    *,
    patch: int,
    activation: Activation,
) -> int:
    """Unfolds the map [H, W, d], runs the layers, folds it back."""
    height, width, d = builder.shape(x)
    patch = min(patch, max(height, width))  # else a group would be padding alone
    rows, columns = math.ceil(height / patch), math.ceil(width / patch)
    padded = (rows * patch, columns * patch, d)
    is_padded = padded[:2] != (height, width)
    tokens = (patch * patch, rows * columns, d)
    is_view = 1 in tokens[:2]  # one group, or groups of one pixel: the pixels stay in their order

    if is_padded:
        x = builder.move(x, "pad", "pad", padded)
    x = builder.move(x, "unfold", "unfold", tokens, patch=patch, is_view=is_view)
    for index in range(spec.depth):
        layer = f"layers/{index}"
        y = builder.layer_norm(x, f"{layer}/norm1")
        y = lower_attention(
            builder, y, layer, spec.heads, patch=patch, padded_side=height if is_padded else 0
        )
        x = builder.add(x, y, f"{layer}/attention_residual")
        y = builder.layer_norm(x, f"{layer}/norm2")
        y = lower_feed_forward(builder, y, layer, spec.ffn, activation)
        x = builder.add(x, y, f"{layer}/ffn_residual")
    x = builder.layer_norm(x, "norm")
    x = builder.move(x, "fold", "fold", padded, patch=patch, is_view=is_view)
    return builder.move(x, "crop", "crop", (height, width, d)) if is_padded else x


def lower_attention(
    builder: GraphBuilder, x: int, layer: str, heads: int, *, patch: int = 1, padded_side: int = 0
) -> int:
    """Self-attention [G, N, d] -> [G, N, d], with the linear layers before and after it.

    `padded_side` is the side of the map before it was padded to patches, 0 where it was not.
    """
    _, tokens, d = builder.shape(x)
    single = tokens == 1  # a softmax over one token is 1: attention is the value
    y = builder.linear(x, f"{layer}/qkv", 3 * d, value_only=single)
    if not single:
        y = _lower_heads(builder, y, layer, heads, patch, padded_side)
    return builder.linear(y, f"{layer}/attention_out", d)


def lower_feed_forward(
    builder: GraphBuilder, x: int, layer: str, ffn: int, activation: Activation = "silu"
) -> int:
    """Two linear layers [..., d] -> [..., ffn] -> [..., d], the activation between them."""
    d = builder.shape(x)[-1]
    y = builder.linear(x, f"{layer}/ffn_in", ffn)
    y = builder.activation(y, f"{layer}/ffn_in", activation)
    return builder.linear(y, f"{layer}/ffn_out", d)


def _lower_heads(
    builder: GraphBuilder, qkv: int, layer: str, heads: int, patch: int, padded_side: int
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


def lower_head(
    builder: GraphBuilder, taps: Sequence[int], spec: HeadSpec | DenseHeadSpec, num_classes: int
) -> int:
    """Appends a network's head: the maps [H, W, C] that it reads -> logits [num_classes] or [H, W, K]."""
    if isinstance(spec, DenseHeadSpec):
        return _lower_dense_head(builder, taps, spec, num_classes)
    (x,) = taps
    if spec.width:
        x = builder.conv(x, "pointwise", "conv", spec.width, norm="norm", activation=spec.activation)
    x = builder.global_pool(x, "pool")
    if spec.hidden:
        x = builder.linear(x, "hidden", spec.hidden)
        x = builder.activation(x, "hidden", spec.activation)
    return builder.linear(x, "classifier", num_classes)


def _lower_dense_head(
    builder: GraphBuilder, taps: Sequence[int], spec: DenseHeadSpec, num_classes: int
) -> int:
    def lateral(number: int) -> int:
        norm = f"lateral_norms/{number}"
        return builder.conv(taps[number], "pointwise", f"laterals/{number}", spec.width, norm=norm)

    *finer, last = range(len(taps))
    x = lateral(last)
    for number in reversed(finer):
        own, name = lateral(number), f"laterals/{number}"
        x = builder.add(own, _enlarged(builder, x, own, name), f"{name}/sum")
    scope, block = builder.scope, SeparableSpec(spec.width, spec.kernel, activation=spec.activation)
    for number in range(spec.depth):
        builder.scope = f"{scope}/blocks/{number}"
        x = _lower_separable(builder, x, block)
    builder.scope = scope
    return builder.conv(x, "pointwise", "classifier", num_classes + spec.box_channels, bias=True)


def _enlarged(builder: GraphBuilder, x: int, like: int, name: str) -> int:
    """Twice as large, cut to the size of `like`."""
    height, width, channels = builder.shape(x)
    x = builder.move(x, "upsample", f"{name}/upsample", (2 * height, 2 * width, channels))
    if builder.shape(x) == builder.shape(like):
        return x
    return builder.move(x, "crop", f"{name}/crop", builder.shape(like))
