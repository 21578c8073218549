"""The stand-alone network of a `NetworkSpec`."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from supernet.blocks import Head, build_block
from supernet.dense_head import DenseHead
from supernet.layers import Initializer
from supernet.model import Model, Tree
from supernet.network_spec import DenseHeadSpec, NetworkSpec
from supernet.ops import Train


class Network(nnx.Module):
    """Blocks one after the other, then the head. `stand_alone(spec)` wraps it in pure functions."""

    def __init__(self, spec: NetworkSpec, init: Initializer):
        width, blocks = spec.channels, []
        for block in spec.blocks:
            blocks.append(build_block(width, block, init))
            width = block.width
        self.blocks = nnx.List(blocks)
        self.taps = spec.taps
        self.head = _build_head(spec, init)

    def output_shape(self, resolution: int) -> tuple[int, ...]:
        """Of one image: [num_classes], or [H, W, K] with a dense head."""
        return self.head.output_shape(resolution)

    def features(self, images: jax.Array, *, train: Train) -> jax.Array:
        """Feature map before global pooling: [B, H, W, C] -> [B, H', W', C']."""
        return self.head.features(self._trunk(images, train)[-1], train=train)

    def __call__(self, images: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, C] -> logits float32 [B, num_classes], or [B, H, W, K] with a dense head."""
        return self.head(self._trunk(images, train), train=train)

    def _trunk(self, x: jax.Array, train: Train) -> list[jax.Array]:
        """The maps that the head reads."""
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x, train=train)
            if number in self.taps:
                maps.append(x)
        return maps


def _build_head(spec: NetworkSpec, init: Initializer) -> Head | DenseHead:
    if not isinstance(spec.head, DenseHeadSpec):
        return Head(spec.blocks[-1].width, spec.head, spec.num_classes, init)
    widths = [spec.blocks[number].width for number in spec.taps]
    stride = math.prod(getattr(block, "stride", 1) for block in spec.blocks[: spec.taps[0] + 1])
    return DenseHead(widths, spec.head, spec.num_classes, init, stride=stride)


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


@functools.lru_cache(maxsize=4)
def compiled_outputs(spec: NetworkSpec) -> Callable[[Tree, Tree, Any], jax.Array]:
    """(params, stats, images [B, H, W, C]) -> outputs float32 of a trained network.

    The same for the same network, so that it is compiled once for each B, whoever asks.
    """
    model = stand_alone(spec)

    def outputs(params: Tree, stats: Tree, images: jax.Array) -> jax.Array:
        return model.apply(params, stats, images, train=False)[0]

    return jax.jit(outputs)
