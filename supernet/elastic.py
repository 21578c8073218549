"""The blocks of the supernet: built at their largest, computed as wide as traced numbers say.

How much is computed follows the numbers, in one compiled program. An inverted residual is a sum over tiles of
its hidden channels, each of which goes through the block on its own: only those in use are computed. A
MobileViT block, whose channels all mix, is computed at the smallest of a few sizes (tiers) that holds it.
Within a tier, what is not in use is 0. With one tile and one tier everything is computed: accelerators, which
are slow at many small pieces and work on many subnets at once, take that.

Letters: B batch, H W map, C channels, K kernel side, T tiles, t channels in a tile, G groups, N tokens, D
embedding.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from supernet import ops
from supernet.blocks import InvertedResidual, MobileViT, TransformerLayer
from supernet.control_flow import chain, choose_branch, sum_over_tiles
from supernet.flat import as_one, unflatten
from supernet.layers import BatchNorm, Initializer
from supernet.network_spec import InvertedResidualSpec, MobileViTSpec
from supernet.ops import Train
from supernet.widths import AttentionWidths, ResidualWidths

SMALLEST_TILE, MOST_TILES = 16, 4


class ElasticResidual(InvertedResidual):
    """An inverted residual that `narrowed` computes with fewer channels, less expansion, a smaller kernel.

    `kernels` are the tiers of the kernel's side, ascending; the last is that of `spec`.
    """

    def __init__(
        self,
        in_width: int,
        spec: InvertedResidualSpec,
        init: Initializer,
        *,
        kernels: Sequence[int],
        tiled: bool,
    ):
        super().__init__(in_width, spec, init)
        self.kernels = tuple(kernels)
        self.tile = tile_size(spec.hidden) if tiled else spec.hidden

    def narrowed(self, x: jax.Array, widths: ResidualWidths, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width], channels that are not in use 0."""
        hidden = widths.in_width * widths.expansion
        body = functools.partial(_hidden_tile, spec=self.spec, kernels=self.kernels, train=train)
        tiles, count = self._tiles(widths), -(-hidden // self.tile)
        y, statistics = sum_over_tiles(body, tiles, x, widths, count)
        if train is not False:
            for name, norm in self._hidden_norms().items():
                norm.mean[...], norm.var[...] = (leaf.reshape(-1) for leaf in statistics[name])
        y = ops.mask_channels(self.project_norm(y, train=train), widths.width)
        if not self.can_add:
            return y
        return jnp.where(widths.in_width == widths.width, y + ops.resize_channels(x, self.spec.width), y)

    def _hidden_norms(self) -> dict[str, BatchNorm]:
        norms = {"depthwise": self.depthwise_norm}
        return {"expand": self.expand_norm, **norms} if self.spec.expand else norms

    def _tiles(self, widths: ResidualWidths) -> dict[str, Any]:
        """The weights by tiles of the hidden channels: [T, ...]."""
        expand = jnp.eye(self.in_width, self.spec.hidden)  # of expansion 1, which has no convolution here
        if self.spec.expand:
            expand = jnp.where(widths.expansion == 1, expand, self.expand.kernel[...])
        by_channel = {  # the hidden channels last
            "expand": expand,
            "kernel": ops.mask_kernel(self.depthwise.kernel[...], widths.kernel),
            "project": ops.mask_channels(self.project.kernel[...].T, widths.in_width * widths.expansion),
            "norms": {
                name: [norm.scale[...], norm.bias[...], norm.mean[...], norm.var[...]]
                for name, norm in self._hidden_norms().items()
            },
        }

        def split(leaf: jax.Array) -> jax.Array:
            return jnp.moveaxis(leaf.reshape(*leaf.shape[:-1], -1, self.tile), -2, 0)

        return jax.tree.map(split, by_channel)


def _hidden_tile(
    tile: dict[str, Any],
    x: jax.Array,
    widths: ResidualWidths,
    known: dict[str, Any] | None,
    *,
    spec: InvertedResidualSpec,
    kernels: Sequence[int],
    train: Train,
) -> tuple[jax.Array, dict[str, Any]]:
    """What t hidden channels add to the block's output before its last norm, and their statistics."""

    norms, mode = tile["norms"], train
    if known is not None:
        norms, mode = {name: [*norms[name][:2], *known[name]] for name in norms}, again(train)

    def norm(arrays: Any, moments: Any, known: Any) -> tuple[jax.Array, Any]:
        latest = (moments, mode) if known is None else (known, again(train))
        y, *moments = ops.batch_norm(*arrays, *latest[0], activation=spec.activation, train=latest[1])
        return y, moments

    def as_it_is(arrays: Any, moments: Any, known: Any) -> tuple[jax.Array, Any]:
        return arrays[0], moments  # an expansion of 1 has neither convolution nor norm

    h, statistics = ops.pointwise(x, tile["expand"]), {}
    if spec.expand:
        scale, bias, *moments = norms["expand"]
        kind = (widths.expansion > 1).astype(jnp.int32)
        h, statistics["expand"] = choose_branch([as_it_is, norm], kind, (h, scale, bias), moments)

    def depthwise(arrays: Any, numbers: Any, known: Any, side: int) -> tuple[jax.Array, tuple[()]]:
        h, kernel = arrays
        return ops.depthwise_conv(h, ops.kernel_centre(kernel, side), spec.stride), ()

    branches = [functools.partial(depthwise, side=side) for side in kernels]
    h, _ = choose_branch(branches, tier_index(kernels, widths.kernel), (h, tile["kernel"]), ())
    scale, bias, *moments = norms["depthwise"]
    h, statistics["depthwise"] = norm((h, scale, bias), moments, None)
    return ops.pointwise(h, tile["project"].T), statistics


def tile_size(hidden: int) -> int:
    """Channels in a tile: the largest divisor of `hidden` that is not above a quarter of it, or 16."""
    most = max(SMALLEST_TILE, hidden // MOST_TILES)
    return max(size for size in range(1, hidden + 1) if hidden % size == 0 and size <= most)


class ElasticMobileViT(MobileViT):
    """A MobileViT block that `narrowed` computes smaller; its patch is the unit of every choice of it.

    `widths` and `embeds` are the tiers in channels, ascending; the last are those of `spec`.
    """

    def __init__(
        self, spec: MobileViTSpec, init: Initializer, *, widths: Sequence[int], embeds: Sequence[int]
    ):
        super().__init__(spec, init)
        self.widths, self.embeds = tuple(widths), tuple(embeds)

    def narrowed(self, x: jax.Array, widths: AttentionWidths, *, train: Train) -> jax.Array:
        """[B, H, W, width] to the same, channels that are not in use 0."""
        height, breadth = x.shape[1:3]
        unit = min(self.spec.patch, max(height, breadth))

        def to_tokens(
            local: Any, x: jax.Array, widths: AttentionWidths, width: int, train: Train
        ) -> jax.Array:
            conv, norm, embed, embed_norm = local
            h = norm(conv(x[..., :width], width), "silu", train=train)
            h = embed(ops.mask_channels(h, widths.width))
            h = h if embed_norm is None else embed_norm(h, train=train)
            return ops.unfold(ops.mask_channels(h, widths.embed), unit)

        def from_tokens(
            fusion: Any, inputs: Any, widths: AttentionWidths, width: int, train: Train
        ) -> jax.Array:
            norm, back, back_norm, fuse, fuse_norm = fusion
            x, tokens = inputs
            h = back(ops.fold(norm(tokens, widths.embed), unit, height, breadth), width)
            h = ops.mask_channels(back_norm(h, "silu", train=train), widths.width)
            h = fuse_norm(fuse(x[..., :width], h, width), "silu", train=train)
            return ops.resize_channels(ops.mask_channels(h, widths.width), self.spec.width)

        embed_norm = self.embed_norm if self.spec.embed_norm else None
        local = (self.local, self.local_norm, self.embed, embed_norm)
        tokens = at_tier(self.widths, widths.width, to_tokens, local, x, widths, train=train)
        mask = ops.attention_mask(height, breadth, unit, widths.patch)
        tokens = chain(self.layers, functools.partial(self._layer, widths, mask), tokens)
        fusion = (self.norm, self.back, self.back_norm, self.fuse, self.fuse_norm)
        return at_tier(self.widths, widths.width, from_tokens, fusion, (x, tokens), widths, train=train)

    def _layer(
        self, widths: AttentionWidths, mask: Any, layer: TransformerLayer, tokens: jax.Array, number: Any
    ) -> jax.Array:
        def call(layer: TransformerLayer, tokens: jax.Array, numbers: Any, embed: int, _: Train) -> jax.Array:
            narrow = tokens[..., :embed]
            y = layer(narrow, numbers["mask"], numbers["widths"]) if embed else narrow
            return jnp.concatenate([y, tokens[..., y.shape[-1] :]], -1)

        size = jnp.where(number < widths.depth, widths.embed, 0)  # 0: the layer is not part of the subnet
        numbers = {"mask": mask, "widths": widths}
        return at_tier((0, *self.embeds), size, call, layer, tokens, numbers, train=True)


def at_tier(
    tiers: Sequence[int],
    size: jax.Array,
    call: Callable[[Any, Any, Any, int, Train], jax.Array],
    modules: Any,
    x: Any,
    numbers: Any,
    *,
    train: Train,
) -> jax.Array:
    """`call(modules, x, numbers, tier, train)` with the smallest of the ascending `tiers` that is >= `size`.

    `modules` is a tree of NNX modules; the statistics that `call` writes in them are written. `x` may be a
    tree of arrays. The result has the same shape at every tier. `numbers` have no gradient.
    """
    graph, *states = nnx.split(modules, nnx.Param, nnx.BatchStat)
    params, before = states

    def branch(tier: int) -> Any:
        def run(arrays: Any, numbers: Any, known: Any) -> tuple[jax.Array, Any]:
            (vector, x), (numbers, before) = arrays, numbers
            own = nnx.merge(graph, unflatten(params, vector), before if known is None else known, copy=True)
            y = call(own, x, numbers, tier, train if known is None else again(train))
            return y, nnx.state(own, nnx.BatchStat)

        return run

    branches = [branch(tier) for tier in tiers]
    y, statistics = choose_branch(branches, tier_index(tiers, size), (as_one(params), x), (numbers, before))
    nnx.update(modules, statistics)
    return y


def again(train: Train) -> Train:
    """`train` for computing anew what a forward pass with it has computed."""
    return ops.AGAIN if train is True else train


def tier_index(tiers: Sequence[int], size: jax.Array) -> Any:
    """The place of the smallest of the ascending `tiers` that is >= `size`: int32 []."""
    return jnp.sum(size > jnp.array(tiers[:-1], jnp.int32))
