"""The blocks of `NetworkSpec` as Flax NNX modules; `elastic` narrows the two of the search spaces."""

from collections.abc import Sequence

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
    PatchConv,
)
from supernet.network_spec import (
    Activation,
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)
from supernet.ops import Train
from supernet.positions import sine_cosine_positions
from supernet.widths import AttentionWidths, HeadWidths


class ConvBlock(nnx.Module):
    """`ConvSpec`."""

    def __init__(self, in_width: int, spec: ConvSpec, init: Initializer):
        self.conv = Conv(in_width, spec.width, spec.kernel, spec.stride, init, bias=spec.bias)
        self.norm = BatchNorm(spec.width)
        self.activation = spec.activation

    def __call__(self, x: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]."""
        return self.norm(self.conv(x), self.activation, train=train)


class Separable(nnx.Module):
    """`SeparableSpec`."""

    def __init__(self, in_width: int, spec: SeparableSpec, init: Initializer):
        self.depthwise = Depthwise(in_width, spec.kernel, spec.stride, init, bias=spec.bias)
        self.depthwise_norm = BatchNorm(in_width)
        self.pointwise = Linear(in_width, spec.width, init, bias=spec.bias)
        self.pointwise_norm = BatchNorm(spec.width)
        self.activation = spec.activation

    def __call__(self, x: jax.Array, width: jax.Array | None = None, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]; with a traced `width`, of so many channels in and out."""
        x = self.depthwise_norm(self.depthwise(x), self.activation, train=train)
        x = self.pointwise_norm(self.pointwise(ops.mask_channels(x, width)), self.activation, train=train)
        return ops.mask_channels(x, width)


class InvertedResidual(nnx.Module):
    """`InvertedResidualSpec`. `has_shortcut` set to False never adds the input (the Zen-score's network)."""

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

    def __call__(self, x: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]."""
        spec, h = self.spec, x
        if spec.expand:
            h = self.expand_norm(self.expand(x), spec.activation, train=train)
        h = self.depthwise_norm(self.depthwise(h), spec.activation, train=train)
        if spec.squeeze:
            gate = jax.nn.relu(self.squeeze(jnp.mean(h, (1, 2))))
            h = h * jax.nn.hard_sigmoid(self.excite(gate))[:, None, None]
        y = self.project_norm(self.project(h), train=train)
        return x + y if self.can_add and self.in_width == spec.width else y

    @property
    def can_add(self) -> bool:
        """Whether the input is added where it is as wide as the output."""
        return self.has_shortcut and self.spec.stride == 1


class TransformerLayer(nnx.Module):
    """Pre-norm attention and feed-forward over tokens [B, G, N, D] (arXiv 2010.11929, equations 2, 3)."""

    def __init__(self, embed: int, heads: int, ffn: int, init: Initializer, activation: Activation = "silu"):
        self.heads = heads
        self.activation = activation
        self.norm1 = LayerNorm(embed)
        self.qkv = QKV(embed, init)
        self.attention_out = Linear(embed, embed, init, bias=True, gain=1.0)
        self.norm2 = LayerNorm(embed)
        self.ffn_in = Linear(embed, ffn, init, bias=True)
        self.ffn_out = Linear(ffn, embed, init, bias=True, gain=1.0)

    def __call__(
        self, x: jax.Array, mask: jax.Array | None = None, widths: AttentionWidths | None = None
    ) -> jax.Array:
        """[B, G, N, D] to the same. `mask` as of `ops.attention_mask`.

        With `widths` a narrower layer, whose inactive channels of `x` are 0; D may then be less than the
        layer was built with, as long as it is a multiple of its number of heads.
        """
        built, width = len(self.qkv.kernel[...]), x.shape[-1]
        embed, heads, ffn = (None, None, None) if widths is None else (widths.embed, widths.heads, widths.ffn)
        q, k, v = (ops.mask_channels(a, embed) for a in self.qkv(self.norm1(x, embed)))
        if x.shape[2] > 1:
            v = ops.interleaved_attention(
                q, k, v, max_heads=self.heads, heads=heads, embed=width if embed is None else embed, mask=mask
            )
        x = x + ops.mask_channels(self.attention_out(v, width), embed)
        hidden = -(-self.ffn_in.kernel[...].shape[1] * width // built)
        h = ops.activate(self.ffn_in(self.norm2(x, embed), hidden), self.activation)
        h = ops.mask_channels(h, ffn)
        return x + ops.mask_channels(self.ffn_out(h, width), embed)


class MobileViT(nnx.Module):
    """`MobileViTSpec`."""

    def __init__(self, spec: MobileViTSpec, init: Initializer):
        self.spec = spec
        width = spec.width
        self.local = Conv(width, width, spec.kernel, 1, init)
        self.local_norm = BatchNorm(width)
        self.embed = Linear(width, spec.embed, init, gain=1.0)
        if spec.embed_norm:
            self.embed_norm = BatchNorm(spec.embed)
        self.layers = nnx.List(
            [TransformerLayer(spec.embed, spec.heads, spec.ffn, init) for _ in range(spec.depth)]
        )
        self.norm = LayerNorm(spec.embed)
        self.back = Linear(spec.embed, width, init)
        self.back_norm = BatchNorm(width)
        self.fuse = PairConv(width, width, spec.kernel, init)
        self.fuse_norm = BatchNorm(width)

    def __call__(self, x: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, width] to the same."""
        height, breadth = x.shape[1:3]
        patch = min(self.spec.patch, max(height, breadth))
        h = self.embed(self.local_norm(self.local(x), "silu", train=train))
        if self.spec.embed_norm:
            h = self.embed_norm(h, train=train)
        tokens, mask = ops.unfold(h, patch), ops.attention_mask(height, breadth, patch, None)
        for layer in self.layers:
            tokens = layer(tokens, mask)
        h = self.back(ops.fold(self.norm(tokens), patch, height, breadth))
        h = self.back_norm(h, "silu", train=train)
        return self.fuse_norm(self.fuse(x, h), "silu", train=train)


class PatchEmbed(nnx.Module):
    """`PatchEmbedSpec`."""

    def __init__(self, in_width: int, spec: PatchEmbedSpec, init: Initializer):
        self.conv = PatchConv(in_width, spec.width, spec.patch, init)

    def __call__(self, x: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H / patch, W / patch, width]."""
        y = self.conv(x)
        return y + sine_cosine_positions(*y.shape[1:]).astype(y.dtype)


class Transformer(nnx.Module):
    """`TransformerSpec`."""

    def __init__(self, spec: TransformerSpec, init: Initializer):
        width, heads, ffn = spec.width, spec.heads, spec.ffn
        self.layers = nnx.List([TransformerLayer(width, heads, ffn, init, "gelu") for _ in range(spec.depth)])
        self.norm = LayerNorm(width)

    def __call__(self, x: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, width] to the same."""
        tokens = ops.unfold(x, 1)
        for layer in self.layers:
            tokens = layer(tokens)
        return ops.fold(self.norm(tokens), 1, *x.shape[1:3])


class Head(nnx.Module):
    """`HeadSpec` over `num_classes`; `widths` narrow its 1x1 convolution."""

    def __init__(self, in_width: int, spec: HeadSpec, num_classes: int, init: Initializer):
        self.activation = spec.activation
        self.conv = Linear(in_width, spec.width, init) if spec.width else None
        self.norm = BatchNorm(spec.width) if spec.width else None
        features = spec.width or in_width
        self.hidden = Linear(features, spec.hidden, init, bias=True) if spec.hidden else None
        self.classifier = Linear(spec.hidden or features, num_classes, init, bias=True, gain=1.0)
        self.num_classes = num_classes

    def output_shape(self, resolution: int) -> tuple[int, ...]:
        """Of one image: [num_classes]."""
        del resolution
        return (self.num_classes,)

    def features(self, x: jax.Array, widths: HeadWidths | None = None, *, train: Train) -> jax.Array:
        """Feature map before pooling: [B, H, W, in] -> [B, H, W, width]."""
        if self.conv is None or self.norm is None:
            return x
        h = self.norm(self.conv(x), self.activation, train=train)
        return h if widths is None else ops.mask_channels(h, widths.width)

    def __call__(
        self, maps: Sequence[jax.Array], widths: HeadWidths | None = None, *, train: Train
    ) -> jax.Array:
        """The one map [B, H, W, in] -> logits float32 [B, num_classes]."""
        (x,) = maps
        h = jnp.mean(self.features(x, widths, train=train), (1, 2))
        if self.hidden is not None:
            h = ops.activate(self.hidden(h), self.activation)
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
        case PatchEmbedSpec():
            return PatchEmbed(in_width, spec, init)
        case TransformerSpec():
            return Transformer(spec, init)
