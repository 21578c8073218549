"""Networks as the Zen-score sees them: no shortcuts, LayerNorms as asked, and how much each norm counts.

Letters: B batch, G groups and N tokens of `unfold`, D embedding, S stages.
"""

import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx

from proxies.untrained import adapted_network, adapted_supernet
from supernet import ops
from supernet.blocks import InvertedResidual, MobileViT
from supernet.layers import Initializer, LayerNorm
from supernet.model import Model, Tree
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.supernet import Control

LayerNormRule = Literal["published", "corrected", "skip"]


class RecordedLayerNorm(LayerNorm):
    """LayerNorm that writes the mean variance of the tokens of a `side` x `side` map into `var` [1]."""

    def __init__(self, width: int, side: int):
        super().__init__(width)
        self.side = side
        self.var = nnx.BatchStat(jnp.ones(1))

    def __call__(self, x: jax.Array, active: jax.Array | None = None) -> jax.Array:
        """Tokens [B, G, N, D] to the same; those that only pad the map are not recorded."""
        wide = x.astype(jnp.float32)
        count = x.shape[-1] if active is None else active
        centred = ops.mask_channels(wide - jnp.sum(wide, -1, keepdims=True) / count, active)
        variance = jnp.sum(jnp.square(centred), -1) / count
        inside = ops.unfold(jnp.ones((1, self.side, self.side, 1)), math.isqrt(x.shape[1]))[..., 0]
        self.var[...] = jnp.sum(variance * inside)[None] / (x.shape[0] * self.side**2)
        return super().__call__(x, active)


class SkippedLayerNorm(LayerNorm):
    """LayerNorm that does nothing; it has no parameters."""

    def __init__(self) -> None:
        pass

    def __call__(self, x: jax.Array, active: jax.Array | None = None) -> jax.Array:
        """Returns `x`."""
        return x


def scored_network(spec: NetworkSpec, *, layer_norm: LayerNormRule, shortcuts: bool) -> Model:
    """The stand-alone network to be scored."""
    return adapted_network(spec, lambda block, side, _: _adapt(block, side, layer_norm, shortcuts))


def scored_supernet(
    space: SearchSpace,
    *,
    channels: int,
    resolution: int,
    layer_norm: LayerNormRule,
    shortcuts: bool,
    tiers: int | None = None,
) -> Model:
    """The supernet to be scored, for images of one resolution; its classifier is not used."""

    def adapt(block: Any, side: int, _: Initializer) -> Any:
        return _adapt(block, side, layer_norm, shortcuts)

    return adapted_supernet(space, channels=channels, resolution=resolution, adapt=adapt, tiers=tiers)


def _adapt(block: Any, side: int, layer_norm: LayerNormRule, shortcuts: bool) -> Any:
    """The block, changed in place; `side` is that of its output's map."""
    if isinstance(block, InvertedResidual):
        block.has_shortcut = shortcuts
    if not isinstance(block, MobileViT):
        return block
    if layer_norm == "corrected":
        for layer in block.layers:
            layer.norm1 = RecordedLayerNorm(block.spec.embed, side)
            layer.norm2 = RecordedLayerNorm(block.spec.embed, side)
        block.norm = RecordedLayerNorm(block.spec.embed, side)
    elif layer_norm == "skip":
        block.layers = nnx.List([])
        block.norm = SkippedLayerNorm()
    return block


def norm_widths(space: SearchSpace, control: Control) -> Tree:
    """How many channels of each norm of the supernet count, int32 [], 0 where it is not part of the subnet.

    By module name, as the supernet's statistics are; a recorded LayerNorm counts as one channel. `ffn_in` is
    not a norm, but the hidden layer of a transformer layer, whose channels NASWOT counts.
    """
    stages = {}
    in_width: Any = space.stem_width
    for number in range(len(space.stages)):
        stages[number] = _stage_widths(space, control, number, in_width)
        in_width = control.width[number]
    return {"stem": {"norm": space.stem_width}, "stages": stages, "head": {"norm": control.head}}


def _stage_widths(space: SearchSpace, control: Control, number: int, in_width: Any) -> Tree:
    width, embed = control.width[number], control.embed[number]
    depth, expansion = control.depth[number], control.expansion[number]
    attention = control.attention[number] == 1

    def residual(in_width: Any, used: Any) -> Tree:
        hidden = in_width * expansion
        return {
            "expand_norm": jnp.where(used & (expansion > 1), hidden, 0),
            "depthwise_norm": jnp.where(used, hidden, 0),
            "project_norm": jnp.where(used, width, 0),
        }

    def layer(index: int) -> Tree:
        used = (attention & (index < depth)).astype(jnp.int32)
        return {"norm1": used, "norm2": used, "ffn_in": used * control.ffn[number]}

    deepest = max(space.stages[number].depth)
    transformer = {
        **{name: jnp.where(attention, width, 0) for name in ("local_norm", "back_norm", "fuse_norm")},
        "embed_norm": jnp.where(attention, embed, 0),
        "layers": {index: layer(index) for index in range(deepest)},
        "norm": attention.astype(jnp.int32),
    }
    more = {index: residual(width, ~attention & (index + 1 < depth)) for index in range(deepest - 1)}
    return {"first": residual(in_width, True), "more": more, "transformer": transformer}
