"""The single operations that networks consist of, each as a graph of its own, to be measured or counted.

Convolutions read a map [H, W, C]. Attention and the feed-forward layers read the same pixels as tokens
[G, N, C]: the pixels that share a place in their patch are a group, as in a MobileViT block.
"""

import functools
from collections.abc import Callable

from supernet.errors import UserError
from supernet.graph_blocks import lower_attention, lower_feed_forward
from supernet.graph_builder import GraphBuilder
from supernet.operations import Graph

SCOPE = "blocks/0"
HEADS, FFN_RATIO, PATCH = 4, 2, 2  # MobileViT's


def conv3x3(side: int, channels: int) -> Graph:
    """3x3 convolution, C -> C."""
    builder = _on_map(side, channels)
    builder.conv(0, "conv", "conv", channels, kernel=3, norm="norm")
    return builder.graph("conv3x3")


def depthwise(side: int, channels: int, *, kernel: int) -> Graph:
    """Depthwise convolution of `kernel` x `kernel`."""
    builder = _on_map(side, channels)
    builder.conv(0, "depthwise", "depthwise", channels, kernel=kernel, norm="norm")
    return builder.graph(f"depthwise{kernel}x{kernel}")


def conv1x1(side: int, channels: int) -> Graph:
    """1x1 convolution, C -> C."""
    builder = _on_map(side, channels)
    builder.conv(0, "pointwise", "conv", channels, norm="norm")
    return builder.graph("conv1x1")


def attention(side: int, channels: int) -> Graph:
    """Self-attention of `HEADS` heads over the pixels of a map in patches of `PATCH`."""
    builder = _on_tokens(side, channels)
    lower_attention(builder, 0, "layer", HEADS)
    return builder.graph("attention")


def feed_forward(side: int, channels: int) -> Graph:
    """Two linear layers, `FFN_RATIO` times as wide between them."""
    builder = _on_tokens(side, channels)
    lower_feed_forward(builder, 0, "layer", FFN_RATIO * channels)
    return builder.graph("feed_forward")


SINGLE_OPERATIONS: dict[str, Callable[[int, int], Graph]] = {
    "conv3x3": conv3x3,
    "depthwise3x3": functools.partial(depthwise, kernel=3),
    "depthwise5x5": functools.partial(depthwise, kernel=5),
    "depthwise7x7": functools.partial(depthwise, kernel=7),
    "conv1x1": conv1x1,
    "attention": attention,
    "feed_forward": feed_forward,
}


def _on_map(side: int, channels: int) -> GraphBuilder:
    _check(side=side, channels=channels)
    builder = GraphBuilder((side, side, channels))
    builder.scope = SCOPE
    return builder


def _on_tokens(side: int, channels: int) -> GraphBuilder:
    _check(side=side, channels=channels)
    if side % PATCH or channels % HEADS:
        raise UserError(
            f"side {side}, channels {channels}: attention and feed_forward are over patches of {PATCH} and "
            f"{HEADS} heads; give a side and channels that are multiples of these"
        )
    builder = GraphBuilder((PATCH * PATCH, (side // PATCH) ** 2, channels))
    builder.scope = SCOPE
    return builder


def _check(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise UserError(f"{name}={size}: must be 1 or more")
