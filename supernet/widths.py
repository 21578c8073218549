"""How wide a block's or a head's subnet is, as traced numbers: int32 [] each."""

import dataclasses

import jax


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ResidualWidths:
    """Of an inverted residual: channels in and out, expansion ratio, kernel side."""

    in_width: jax.Array
    width: jax.Array
    expansion: jax.Array
    kernel: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class HeadWidths:
    """Of a head: channels of its convolution; `depth`, blocks of a dense one, has no meaning for another."""

    width: jax.Array
    depth: jax.Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class AttentionWidths:
    """Of a MobileViT block; `depth` is its number of transformer layers."""

    width: jax.Array
    embed: jax.Array
    heads: jax.Array
    ffn: jax.Array
    patch: jax.Array
    depth: jax.Array
