"""The weight-sharing network of a search space, at its largest; a traced `Control` narrows it to a subnet.

Letters: A architectures, S stages.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet.architecture import Architecture
from supernet.blocks import (
    AttentionWidths,
    ConvBlock,
    Head,
    InvertedResidual,
    MobileViT,
    ResidualWidths,
)
from supernet.layers import Initializer
from supernet.model import Model
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, MobileViTSpec
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Control:
    """What a subnet is, as numbers: int32 [S] each, `head` []; a batch of them has [A] in front.

    In a convolution stage the attention fields hold harmless values (1) and have no effect.
    """

    attention: Any
    depth: Any
    width: Any
    expansion: Any
    kernel: Any
    embed: Any
    heads: Any
    ffn: Any
    patch: Any
    head: Any

    def at(self, index: Any) -> "Control":
        """The control of one architecture of a batch."""
        return jax.tree.map(lambda leaf: leaf[index], self)


def controls(space: SearchSpace, architectures: Sequence[Architecture]) -> Control:
    """The controls of architectures of `space`, int32 with [A] in front."""

    def field(name: str) -> np.ndarray:
        return np.array([[getattr(s, name) for s in a.stages] for a in architectures], np.int32)

    kinds = np.array([[s.block == "attention" for s in a.stages] for a in architectures], np.int32)
    # An inactive patch stands at its unit's multiple: 0 means "not an attention stage".
    units = np.array([_patch_unit(stage) for stage in space.stages], np.int32)
    sides = np.array([_sides(space, a.resolution) for a in architectures], np.int32)
    # The decoded patch is cut to the map's side, which need not be a multiple of the unit any more; any
    # multiple at least as large says the same: every pixel on its own.
    patch = field("patch")
    patch = np.where(patch >= sides, -(-sides // units) * units, patch)
    patch = np.where(kinds == 1, patch, units)
    active = {name: np.maximum(field(name), 1) for name in ("embed", "heads", "ffn")}
    head = np.array([space.head_width(a.stages[-1].width) for a in architectures], np.int32)
    basic = {name: field(name) for name in ("depth", "width", "expansion", "kernel")}
    return Control(attention=kinds, patch=patch, head=head, **basic, **active)


class SupernetStage(nnx.Module):
    """One stage at its largest: the first inverted residual, then both kinds of blocks it may hold."""

    def __init__(self, in_width: int, stage: StageSpace, width: int, embed: int, init: Initializer):
        expansion, kernel, depth = max(stage.expansion), max(stage.kernel), max(stage.depth)

        def residual(in_width: int, stride: int) -> InvertedResidual:
            spec = InvertedResidualSpec(width, in_width * expansion, kernel, stride, expand=expansion > 1)
            return InvertedResidual(in_width, spec, init)

        self.first = residual(in_width, stage.stride)
        num_more = depth - 1 if "conv" in stage.block else 0
        self.more = nnx.List([residual(width, 1) for _ in range(num_more)])
        self.transformer = _transformer(stage, width, embed, init) if "attention" in stage.block else None

    def __call__(self, x: jax.Array, in_width: Any, c: Control, *, train: bool) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]; `c` holds this stage's numbers, [] each."""

        def widths(in_width: Any) -> ResidualWidths:
            return ResidualWidths(in_width, c.width, c.expansion, c.kernel)

        def convolutions(stage: "SupernetStage", x: jax.Array) -> jax.Array:
            for number, block in enumerate(stage.more, 1):
                x = jnp.where(number < c.depth, block(x, widths(c.width), train=train), x)
            return x

        def attention(stage: "SupernetStage", x: jax.Array) -> jax.Array:
            assert stage.transformer is not None
            sizes = AttentionWidths(c.width, c.embed, c.heads, c.ffn, c.patch, c.depth)
            return stage.transformer(x, sizes, train=train)

        x = self.first(x, widths(in_width), train=train)
        if self.transformer is None:
            return convolutions(self, x)
        # Only the kind in use is computed: a training step takes about 0.7 times as long.
        return nnx.cond(c.attention == 1, attention, convolutions, self, x)


class Supernet(nnx.Module):
    """All stages of a space at their largest. `supernet(space, ...)` wraps it in pure functions."""

    def __init__(self, space: SearchSpace, channels: int, num_classes: int, init: Initializer):
        stem = ConvSpec(space.stem_width, stride=space.stem_stride)
        self.stem = ConvBlock(channels, stem, init)
        self.stem_width = space.stem_width
        width, stages = space.stem_width, []
        for stage, (widest, embed) in zip(space.stages, largest_sizes(space), strict=True):
            stages.append(SupernetStage(width, stage, widest, embed, init))
            width = widest
        self.stages = nnx.List(stages)
        self.head = Head(width, HeadSpec(space.head_width(width)), num_classes, init)

    def features(self, images: jax.Array, control: Control, *, train: bool) -> jax.Array:
        """Feature map before global pooling: [B, H, W, C] -> [B, H', W', C']."""
        return self.head.features(self._trunk(images, control, train), control.head, train=train)

    def __call__(self, images: jax.Array, control: Control, *, train: bool) -> jax.Array:
        """[B, H, W, C] -> logits float32 [B, num_classes]."""
        return self.head(self._trunk(images, control, train), control.head, train=train)

    def _trunk(self, images: jax.Array, control: Control, train: bool) -> jax.Array:
        x = self.stem(images, train=train)
        in_width: Any = self.stem_width
        for number, stage in enumerate(self.stages):
            here = _stage(control, number)
            x = stage(x, in_width, here, train=train)
            in_width = here.width
        return x


def supernet(space: SearchSpace, *, channels: int, num_classes: int, dtype: Any = jnp.float32) -> Model:
    """The pure functions of a space's supernet; their `control` is one `Control` without [A]."""
    return Model(lambda init: Supernet(space, channels, num_classes, init), dtype=dtype)


def largest_sizes(space: SearchSpace) -> list[tuple[int, int]]:
    """The largest width and embedding size of every stage."""
    sizes, width = [], space.stem_width
    for stage in space.stages:
        if stage.growth:
            grown = int(width * max(stage.growth))
            width = min(grown, stage.max_width or grown)
        else:
            width = max(stage.width)
        sizes.append((width, max(stage.embed, default=2 ** (width.bit_length() - 1))))
    return sizes


def _transformer(stage: StageSpace, width: int, embed: int, init: Initializer) -> MobileViT:
    ffn = int(embed * max(stage.ffn_ratio))
    spec = MobileViTSpec(width, embed, max(stage.heads), ffn, max(stage.depth), _patch_unit(stage))
    return MobileViT(spec, init)


def _stage(control: Control, number: int) -> Control:
    fields = {
        f.name: getattr(control, f.name)[number] for f in dataclasses.fields(Control) if f.name != "head"
    }
    return Control(**fields, head=control.head)


def _patch_unit(stage: StageSpace) -> int:
    return math.gcd(*stage.patch) if "attention" in stage.block else 1


def _sides(space: SearchSpace, resolution: int) -> list[int]:
    side = -(-resolution // space.stem_stride)
    sides = []
    for stage in space.stages:
        side = -(-side // stage.stride)
        sides.append(side)
    return sides
