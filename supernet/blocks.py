"""The blocks of `NetworkSpec` as Flax NNX modules; the two of the search spaces can be narrowed.

A block is built at one size. Called without its narrowing arguments it is that stand-alone block; called
with traced numbers it computes what the narrower block would, with the leading part of its weights.
"""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx

from supernet import ops
from supernet.layers import (
    QKV,
    BatchNorm,
    Conv,
    Depthwise,
    Initializer,
    LayerNorm,
    Linear,
    PairConv,
    activate,
)
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    SeparableSpec,
)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ResidualWidths:
    """Traced int32 sizes of an inverted residual: channels in and out, expansion ratio, kernel side."""

    in_width: jax.Array
    width: jax.Array
    expansion: jax.Array
    kernel: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class AttentionWidths:
    """Traced int32 sizes of a MobileViT block; `depth` is its number of transformer layers."""

    width: jax.Array
    embed: jax.Array
    heads: jax.Array
    ffn: jax.Array
    patch: jax.Array
    depth: jax.Array


class ConvBlock(nnx.Module):
    """`ConvSpec`."""

    def __init__(self, in_width: int, spec: ConvSpec, init: Initializer):
        self.conv = Conv(in_width, spec.width, spec.kernel, spec.stride, init, bias=spec.bias)
        self.norm = BatchNorm(spec.width)
        self.activation = spec.activation

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]."""
        return activate(self.norm(self.conv(x), train=train), self.activation)


class Separable(nnx.Module):
    """`SeparableSpec`."""

    def __init__(self, in_width: int, spec: SeparableSpec, init: Initializer):
        self.depthwise = Depthwise(in_width, spec.kernel, spec.stride, init, bias=spec.bias)
        self.depthwise_norm = BatchNorm(in_width)
        self.pointwise = Linear(in_width, spec.width, init, bias=spec.bias)
        self.pointwise_norm = BatchNorm(spec.width)
        self.activation = spec.activation

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]."""
        x = activate(self.depthwise_norm(self.depthwise(x), train=train), self.activation)
        return activate(self.pointwise_norm(self.pointwise(x), train=train), self.activation)


class InvertedResidual(nnx.Module):
    """`InvertedResidualSpec`; with `ResidualWidths` a narrower one, expansion 1 (no expanding conv) too.

    `has_shortcut` set to False never adds the input (the plain network of the Zen-score).
    """

    has_shortcut = True

    def __init__(self, in_width: int, spec: InvertedResidualSpec, init: Initializer):
        self.spec = spec
        self.in_width = in_width
        if spec.expand:
            self.expand = Linear(in_width, spec.hidden, init)
            self.expand_norm = BatchNorm(spec.hidden)
        self.depthwise = Depthwise(spec.hidden, spec.kernel, spec.stride, init)
        self.depthwise_norm = BatchNorm(spec.hidden)
        if spec.squeeze:
            self.squeeze = Linear(spec.hidden, spec.squeeze, init, bias=True)
            self.excite = Linear(spec.squeeze, spec.hidden, init, bias=True)
        self.project = Linear(spec.hidden, spec.width, init, gain=1.0)
        self.project_norm = BatchNorm(spec.width)

    def __call__(self, x: jax.Array, widths: ResidualWidths | None = None, *, train: bool) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]."""
        spec = self.spec
        hidden = None if widths is None else widths.in_width * widths.expansion
        h = x
        if spec.expand:
            h = activate(self.expand_norm(self.expand(x), train=train), spec.activation)
            h = ops.mask_channels(h, hidden)
            if widths is not None:
                h = jnp.where(widths.expansion == 1, ops.resize_channels(x, spec.hidden), h)
        h = self.depthwise(h, None if widths is None else widths.kernel)
        h = activate(self.depthwise_norm(h, train=train), spec.activation)
        h = ops.mask_channels(h, hidden)
        if spec.squeeze:
            gate = jax.nn.relu(self.squeeze(jnp.mean(h, (1, 2))))
            h = h * jax.nn.hard_sigmoid(self.excite(gate))[:, None, None]
        y = self.project_norm(self.project(h), train=train)
        can_add = self.has_shortcut and spec.stride == 1
        if widths is None:
            return x + y if can_add and self.in_width == spec.width else y
        y = ops.mask_channels(y, widths.width)
        if not can_add:
            return y
        return jnp.where(widths.in_width == widths.width, y + ops.resize_channels(x, spec.width), y)


class TransformerLayer(nnx.Module):
    """Pre-norm attention and feed-forward over tokens [B, G, N, D] (arXiv 2010.11929, equations 2, 3)."""

    def __init__(self, spec: MobileViTSpec, init: Initializer):
        self.heads = spec.heads
        self.norm1 = LayerNorm(spec.embed)
        self.qkv = QKV(spec.embed, init)
        self.attention_out = Linear(spec.embed, spec.embed, init, bias=True, gain=1.0)
        self.norm2 = LayerNorm(spec.embed)
        self.ffn_in = Linear(spec.embed, spec.ffn, init, bias=True)
        self.ffn_out = Linear(spec.ffn, spec.embed, init, bias=True, gain=1.0)

    def __call__(self, x: jax.Array, mask: jax.Array | None, widths: AttentionWidths | None) -> jax.Array:
        """[B, G, N, D] to the same."""
        embed, ffn = (None, None) if widths is None else (widths.embed, widths.ffn)
        q, k, v = (ops.mask_channels(a, embed) for a in self.qkv(self.norm1(x, embed)))
        if x.shape[2] > 1:
            v = ops.interleaved_attention(
                q,
                k,
                v,
                max_heads=self.heads,
                heads=None if widths is None else widths.heads,
                embed=x.shape[-1] if widths is None else widths.embed,
                mask=mask,
            )
        x = x + ops.mask_channels(self.attention_out(v), embed)
        h = ops.mask_channels(jax.nn.silu(self.ffn_in(self.norm2(x, embed))), ffn)
        return x + ops.mask_channels(self.ffn_out(h), embed)


class MobileViT(nnx.Module):
    """`MobileViTSpec`; with `AttentionWidths` a narrower one.

    `spec.patch` is then the unit that every choice of the patch is a multiple of.
    """

    def __init__(self, spec: MobileViTSpec, init: Initializer):
        self.spec = spec
        width = spec.width
        self.local = Conv(width, width, spec.kernel, 1, init)
        self.local_norm = BatchNorm(width)
        self.embed = Linear(width, spec.embed, init, gain=1.0)
        if spec.embed_norm:
            self.embed_norm = BatchNorm(spec.embed)
        self.layers = nnx.List([TransformerLayer(spec, init) for _ in range(spec.depth)])
        self.norm = LayerNorm(spec.embed)
        self.back = Linear(spec.embed, width, init)
        self.back_norm = BatchNorm(width)
        self.fuse = PairConv(width, width, spec.kernel, init)
        self.fuse_norm = BatchNorm(width)

    def __call__(self, x: jax.Array, widths: AttentionWidths | None = None, *, train: bool) -> jax.Array:
        """[B, H, W, width] to the same."""
        width, embed = (None, None) if widths is None else (widths.width, widths.embed)
        height, breadth = x.shape[1:3]
        unit = min(self.spec.patch, max(height, breadth))
        h = jax.nn.silu(self.local_norm(self.local(x), train=train))
        h = self.embed(ops.mask_channels(h, width))
        if self.spec.embed_norm:
            h = self.embed_norm(h, train=train)
        tokens = ops.unfold(ops.mask_channels(h, embed), unit)
        mask = ops.attention_mask(height, breadth, unit, None if widths is None else widths.patch)
        for number, layer in enumerate(self.layers):
            y = layer(tokens, mask, widths)
            tokens = y if widths is None else jnp.where(number < widths.depth, y, tokens)
        h = ops.fold(self.norm(tokens, embed), unit, height, breadth)
        h = jax.nn.silu(self.back_norm(self.back(h), train=train))
        h = ops.mask_channels(h, width)
        h = jax.nn.silu(self.fuse_norm(self.fuse(x, h), train=train))
        return ops.mask_channels(h, width)


class Head(nnx.Module):
    """`HeadSpec` over `num_classes`; `width` narrows its 1x1 convolution."""

    def __init__(self, in_width: int, spec: HeadSpec, num_classes: int, init: Initializer):
        self.activation = spec.activation
        self.conv = Linear(in_width, spec.width, init) if spec.width else None
        self.norm = BatchNorm(spec.width) if spec.width else None
        features = spec.width or in_width
        self.hidden = Linear(features, spec.hidden, init, bias=True) if spec.hidden else None
        self.classifier = Linear(spec.hidden or features, num_classes, init, bias=True, gain=1.0)

    def features(self, x: jax.Array, width: jax.Array | None = None, *, train: bool) -> jax.Array:
        """Feature map before pooling: [B, H, W, in] -> [B, H, W, width]."""
        if self.conv is None or self.norm is None:
            return x
        h = activate(self.norm(self.conv(x), train=train), self.activation)
        return ops.mask_channels(h, width)

    def __call__(self, x: jax.Array, width: jax.Array | None = None, *, train: bool) -> jax.Array:
        """[B, H, W, in] -> logits float32 [B, num_classes]."""
        h = jnp.mean(self.features(x, width, train=train), (1, 2))
        if self.hidden is not None:
            h = activate(self.hidden(h), self.activation)
        return self.classifier(h).astype(jnp.float32)


def build_block(in_width: int, spec: BlockSpec, init: Initializer) -> nnx.Module:
    """The module of a block's spec over an input of `in_width` channels."""
    match spec:
        case ConvSpec():
            return ConvBlock(in_width, spec, init)
        case SeparableSpec():
            return Separable(in_width, spec, init)
        case InvertedResidualSpec():
            return InvertedResidual(in_width, spec, init)
        case MobileViTSpec():
            return MobileViT(spec, init)
