"""Published networks by name, at the width and depth of their publications.

    named_network("mobilevit-xs", num_classes=1000, resolution=256)

Sources: HyT-NAS arXiv 2303.04440, MobileViT arXiv 2110.02178, MobileNetV1 arXiv 1704.04861 (as
trained by MLPerf Tiny, arXiv 2106.07597), V2 arXiv 1801.04381, V3 arXiv 1905.02244.
"""

import dataclasses
import difflib
from collections.abc import Callable

from supernet.errors import UserError
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    SeparableSpec,
)


@dataclasses.dataclass(frozen=True)
class _Body:
    """What a published network fixes: everything but the pictures and the classes."""

    blocks: tuple[BlockSpec, ...]
    head: HeadSpec
    counts_statistics: bool = False


@dataclasses.dataclass(frozen=True)
class _HybridStage:
    """One stride-2 inverted residual of `expansion` to `width`, then a MobileViT block."""

    width: int
    heads: int
    embed: int
    ffn: int
    expansion: int
    patch: int
    depth: int = 1


def named_network(name: str, *, num_classes: int, resolution: int, channels: int = 3) -> NetworkSpec:
    """The published network `name` (one of `NAMES`) for [B, resolution, resolution, channels].

    Raises:
        UserError: for a name that is not known; the message lists those that are.
    """
    if name not in _BODIES:
        near = difflib.get_close_matches(name.lower(), NAMES, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UserError(f"no network is called {name!r}; {hint}Known: {', '.join(NAMES)}")
    body = _BODIES[name]()
    return NetworkSpec(
        name=name,
        resolution=resolution,
        channels=channels,
        num_classes=num_classes,
        blocks=body.blocks,
        head=body.head,
        counts_statistics=body.counts_statistics,
    )


def _residuals(
    before: int, width: int, expansion: int, *, blocks: int, stride: int
) -> list[InvertedResidualSpec]:
    """`blocks` inverted residuals with silu; the first takes the stride and the width before."""
    specs = []
    for index in range(blocks):
        specs.append(
            InvertedResidualSpec(
                width,
                hidden=before * expansion,
                stride=stride if index == 0 else 1,
                expand=expansion > 1,
            )
        )
        before = width
    return specs


def _hybrid_blocks(
    convolutional: list[InvertedResidualSpec], stages: list[_HybridStage], *, embed_norm: bool
) -> tuple[BlockSpec, ...]:
    """Stride-2 stem of 16 channels, the convolutional stages, then the hybrid ones."""
    blocks: list[BlockSpec] = [ConvSpec(16, stride=2), *convolutional]
    width = convolutional[-1].width
    for stage in stages:
        blocks += _residuals(width, stage.width, stage.expansion, blocks=1, stride=2)
        width = stage.width
        blocks.append(
            MobileViTSpec(
                width,
                embed=stage.embed,
                heads=stage.heads,
                ffn=stage.ffn,
                depth=stage.depth,
                patch=stage.patch,
                embed_norm=embed_norm,
            )
        )
    return tuple(blocks)


def _hyt_nas(stage1: tuple[int, int, int], stage2: tuple[int, int, int], stages: list[_HybridStage]) -> _Body:
    """A published HyT-NAS winner; stages 1 and 2 are (width, expansion, blocks)."""
    convolutional = [
        *_residuals(16, stage1[0], stage1[1], blocks=stage1[2], stride=1),
        *_residuals(stage1[0], stage2[0], stage2[1], blocks=stage2[2], stride=2),
    ]
    blocks = _hybrid_blocks(convolutional, stages, embed_norm=True)
    return _Body(blocks, HeadSpec(max(stages[-1].width // 2, 32)))


def _hyt_nas_bl() -> _Body:
    stages = [
        _HybridStage(8, heads=2, embed=16, ffn=24, expansion=4, patch=8),
        _HybridStage(8, heads=2, embed=16, ffn=32, expansion=1, patch=8),
        _HybridStage(8, heads=2, embed=16, ffn=24, expansion=1, patch=8),
    ]
    return _hyt_nas((8, 1, 1), (8, 1, 1), stages)


def _hyt_nas_o() -> _Body:
    stages = [
        _HybridStage(32, heads=4, embed=32, ffn=48, expansion=4, patch=4),
        _HybridStage(32, heads=4, embed=32, ffn=64, expansion=1, patch=2),
        _HybridStage(48, heads=4, embed=64, ffn=64, expansion=1, patch=8),
    ]
    return _hyt_nas((32, 1, 1), (32, 1, 1), stages)


def _hyt_nas_ba() -> _Body:
    stages = [
        _HybridStage(64, heads=4, embed=64, ffn=96, expansion=4, patch=8),
        _HybridStage(128, heads=4, embed=128, ffn=256, expansion=1, patch=8),
        _HybridStage(256, heads=1, embed=256, ffn=512, expansion=2, patch=4),
    ]
    return _hyt_nas((32, 4, 1), (32, 4, 4), stages)


def _mobilevit(expansion: int, widths: tuple[int, ...], embeds: tuple[int, ...]) -> _Body:
    """MobileViT, Table 4 of the paper: 4 heads, 2x2 patches, FFN twice the embedding."""
    first, second, *hybrid = widths
    convolutional = [
        *_residuals(16, first, expansion, blocks=1, stride=1),
        *_residuals(first, second, expansion, blocks=3, stride=2),
    ]
    stages = [
        _HybridStage(width, 4, embed, 2 * embed, expansion, patch=2, depth=depth)
        for width, embed, depth in zip(hybrid, embeds, (2, 4, 3), strict=True)
    ]
    blocks = _hybrid_blocks(convolutional, stages, embed_norm=False)
    return _Body(blocks, HeadSpec(4 * widths[-1]))


def _mobilenet_v1_quarter() -> _Body:
    """MLPerf Tiny's Keras model: biases in every convolution; it counts BatchNorm's statistics."""
    strided = {
        32: 2,
        64: 2,
        128: 2,
        256: 2,
    }  # the first block of each of these widths halves the map
    blocks: list[BlockSpec] = [ConvSpec(8, stride=2, activation="relu", bias=True)]
    for width in (16, 32, 32, 64, 64, *(128,) * 6, 256, 256):
        blocks.append(SeparableSpec(width, stride=strided.pop(width, 1), bias=True))
    return _Body(tuple(blocks), HeadSpec(0), counts_statistics=True)


def _multiple_of_8(value: float) -> int:
    """The nearest multiple of 8, at least 8 and never below 90 % of `value`."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


def _mobilenet_v2(multiplier: float) -> _Body:
    """MobileNetV2, Table 2 of the paper: rows of expansion, width, blocks, stride."""
    width = _multiple_of_8(32 * multiplier)
    blocks: list[BlockSpec] = [ConvSpec(width, stride=2, activation="relu6")]
    for expansion, full_width, repeats, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        after = _multiple_of_8(full_width * multiplier)
        rows = _residuals(width, after, expansion, blocks=repeats, stride=stride)
        blocks += [dataclasses.replace(row, activation="relu6") for row in rows]
        width = after
    return _Body(tuple(blocks), HeadSpec(1280, activation="relu6"))


def _mobilenet_v3_small() -> _Body:
    """MobileNetV3-Small, Table 2: rows of kernel, hidden, width, squeezed, activation, stride."""
    width = 16
    blocks: list[BlockSpec] = [ConvSpec(width, stride=2, activation="hardswish")]
    for kernel, hidden, after, squeezed, activation, stride in (
        (3, 16, 16, True, "relu", 2),
        (3, 72, 24, False, "relu", 2),
        (3, 88, 24, False, "relu", 1),
        (5, 96, 40, True, "hardswish", 2),
        (5, 240, 40, True, "hardswish", 1),
        (5, 240, 40, True, "hardswish", 1),
        (5, 120, 48, True, "hardswish", 1),
        (5, 144, 48, True, "hardswish", 1),
        (5, 288, 96, True, "hardswish", 2),
        (5, 576, 96, True, "hardswish", 1),
        (5, 576, 96, True, "hardswish", 1),
    ):
        blocks.append(
            InvertedResidualSpec(
                after,
                hidden,
                kernel=kernel,
                stride=stride,
                expand=hidden != width,
                activation="relu" if activation == "relu" else "hardswish",
                squeeze=_multiple_of_8(hidden / 4) if squeezed else 0,
            )
        )
        width = after
    return _Body(tuple(blocks), HeadSpec(576, hidden=1024, activation="hardswish"))


_BODIES: dict[str, Callable[[], _Body]] = {
    "hyt-nas-bl": _hyt_nas_bl,
    "hyt-nas-o": _hyt_nas_o,
    "hyt-nas-ba": _hyt_nas_ba,
    "mobilevit-xxs": lambda: _mobilevit(2, (16, 24, 48, 64, 80), (64, 80, 96)),
    "mobilevit-xs": lambda: _mobilevit(4, (32, 48, 64, 80, 96), (96, 120, 144)),
    "mobilevit-s": lambda: _mobilevit(4, (32, 64, 96, 128, 160), (144, 192, 240)),
    "mobilenetv1-0.25": _mobilenet_v1_quarter,
    "mobilenetv2-0.35": lambda: _mobilenet_v2(0.35),
    "mobilenetv3-small": _mobilenet_v3_small,
}
NAMES = tuple(_BODIES)
