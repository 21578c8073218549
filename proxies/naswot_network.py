"""Networks as NASWOT sees them: what is activated compares the images by the signs of its input.

Letters: B batch, H W map, C channels, G groups and N tokens of `unfold`, F hidden channels of a transformer.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from proxies.untrained import adapted_supernet
from supernet import ops
from supernet.blocks import MobileViT
from supernet.elastic import ElasticResidual
from supernet.layers import BatchNorm, Initializer, Linear
from supernet.model import Model, Tree
from supernet.ops import Train
from supernet.search_space import SearchSpace
from supernet.widths import ResidualWidths


class CodedBatchNorm(BatchNorm):
    """BatchNorm that, where it activates, writes `agreement` (see there) of the activation's input.

    `active` [1] is read: how many channels are part of the subnet. `similarity` [B, B] is written.
    """

    def __init__(self, width: int, batch: int):
        super().__init__(width)
        self.active = nnx.BatchStat(np.full(1, width, np.float32))
        self.similarity = nnx.BatchStat(np.zeros((batch, batch), np.float32))

    def __call__(self, x: jax.Array, activation: str = "none", *, train: Train) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C]."""
        y = super().__call__(x, activation, train=train)
        if activation != "none":  # each of them keeps positive what is positive, and nothing else
            self.similarity[...] = agreement(y, self.active[...])
        return y


class CodedLinear(Linear):
    """The transformer's linear layer before the activation, for a map of `side` x `side` pixels; as above."""

    def __init__(self, in_width: int, width: int, init: Initializer, *, batch: int, side: int):
        super().__init__(in_width, width, init, bias=True)
        self.side = side
        self.active = nnx.BatchStat(np.full(1, width, np.float32))
        self.similarity = nnx.BatchStat(np.zeros((batch, batch), np.float32))

    def __call__(self, x: jax.Array, width: int | None = None) -> jax.Array:
        """[B, G, N, D] -> [B, G, N, F]; tokens that only pad the map do not count."""
        y = super().__call__(x, width)
        pixels = jnp.ones((1, self.side, self.side, 1))
        inside = ops.unfold(pixels, math.isqrt(x.shape[1]))
        self.similarity[...] = agreement(y, self.active[...], inside)
        return y


class CodedResidual(ElasticResidual):
    """`ElasticResidual` with all its hidden channels at once, so that its norms are called as modules."""

    def narrowed(self, x: jax.Array, widths: ResidualWidths, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width], channels that are not in use 0."""
        spec, hidden = self.spec, widths.in_width * widths.expansion
        h = ops.resize_channels(x, spec.hidden)
        if spec.expand:
            expanded = self.expand_norm(self.expand(x), spec.activation, train=train)
            h = jnp.where(widths.expansion > 1, expanded, h)
        kernel = ops.mask_kernel(self.depthwise.kernel[...], widths.kernel)
        h = ops.depthwise_conv(h, kernel, spec.stride)
        h = self.depthwise_norm(h, spec.activation, train=train)
        y = self.project_norm(self.project(ops.mask_channels(h, hidden)), train=train)
        y = ops.mask_channels(y, widths.width)
        if not self.can_add:
            return y
        return jnp.where(widths.in_width == widths.width, y + ops.resize_channels(x, spec.width), y)


def agreement(x: jax.Array, active: jax.Array, counted: jax.Array | None = None) -> jax.Array:
    """How many units of `x` [B, ..., C] have one sign in two images, less those that have not: [B, B].

    Channels from `active` on do not count, nor where `counted` (which fits `x`) is 0.
    """
    signs = ops.mask_channels(jnp.where(x > 0, 1.0, -1.0), active)
    signs = (signs if counted is None else signs * counted).reshape(len(x), -1)
    return jnp.matmul(signs, signs.T, preferred_element_type=jnp.float32)


def coded_supernet(
    space: SearchSpace, *, channels: int, resolution: int, batch: int, tiers: int | None = None
) -> Model:
    """The supernet for `batch` images of one resolution; its classifier is not used."""

    def adapt(block: Any, side: int, init: Initializer) -> Any:
        return _coded(block, side, init, batch)

    return adapted_supernet(space, channels=channels, resolution=resolution, adapt=adapt, tiers=tiers)


def _coded(block: Any, side: int, init: Initializer, batch: int) -> Any:
    if isinstance(block, ElasticResidual):
        block = CodedResidual(block.in_width, block.spec, init, kernels=block.kernels, tiled=False)
    for name, part in list(vars(block).items()):
        if isinstance(part, BatchNorm):
            setattr(block, name, CodedBatchNorm(len(part.mean[...]), batch))
    if isinstance(block, MobileViT):
        for layer in block.layers:
            layer.ffn_in = CodedLinear(block.spec.embed, block.spec.ffn, init, batch=batch, side=side)
    return block


def with_active(stats: Tree, widths: Any = None) -> Tree:
    """The statistics that a coded network is given: `widths` in `active`; None: all channels count."""
    if "active" in stats:
        width = jnp.inf if widths is None else widths
        return stats | {"active": jnp.full_like(stats["active"], width)}
    return {
        name: with_active(part, None if widths is None else widths[name]) if isinstance(part, dict) else part
        for name, part in stats.items()
    }


def sum_of_similarities(stats: Tree) -> Any:
    """Over all that is activated, [B, B]."""
    if "similarity" in stats:
        return stats["similarity"]
    return sum(sum_of_similarities(part) for part in stats.values() if isinstance(part, dict))
