"""The stand-alone network of a `NetworkSpec`."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from supernet.blocks import Head, build_block
from supernet.layers import Initializer
from supernet.model import Model
from supernet.network_spec import NetworkSpec
from supernet.ops import Train


class Network(nnx.Module):
    """Blocks one after the other, then the head. `stand_alone(spec)` wraps it in pure functions."""

    def __init__(self, spec: NetworkSpec, init: Initializer):
        width, blocks = spec.channels, []
        for block in spec.blocks:
            blocks.append(build_block(width, block, init))
            width = block.width
        self.blocks = nnx.List(blocks)
        self.head = Head(width, spec.head, spec.num_classes, init)

    def features(self, images: jax.Array, *, train: Train) -> jax.Array:
        """Feature map before global pooling: [B, H, W, C] -> [B, H', W', C']."""
        return self.head.features(self._trunk(images, train), train=train)

    def __call__(self, images: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, C] -> logits float32 [B, num_classes]."""
        return self.head(self._trunk(images, train), train=train)

    def _trunk(self, x: jax.Array, train: Train) -> jax.Array:
        for block in self.blocks:
            x = block(x, train=train)
        return x


@functools.lru_cache(maxsize=4)
def stand_alone(spec: NetworkSpec, *, dtype: Any = jnp.float32) -> Model:
    """The pure functions of a stand-alone network; the same for the same network, as what is compiled for it
    is known by them.

    Examples:
      >>> import jax
      >>> from supernet import named_network, stand_alone
      >>> model = stand_alone(named_network("hyt-nas-bl", num_classes=2, resolution=32))
      >>> params, stats = model.init(jax.random.key(0))
      >>> params["head"]["classifier"]["bias"].shape
      (2,)
    """
    return Model(lambda init: Network(spec, init), dtype=dtype)
