"""The MobileNets as published, and inverted residuals in a row.

Sources: V1 arXiv 1704.04861 (as trained by MLPerf Tiny, arXiv 2106.07597), V2 arXiv 1801.04381, V3 arXiv
1905.02244.
"""

import dataclasses

from supernet.network_spec import (
    Activation,
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    SeparableSpec,
)


@dataclasses.dataclass(frozen=True)
class Body:
    """What a published network fixes: everything but the images and the classes."""

    blocks: tuple[BlockSpec, ...]
    head: HeadSpec
    counts_statistics: bool = False


def residuals(
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


def mobilenet_v1_quarter() -> Body:
    """MLPerf Tiny's Keras model: biases in every convolution; it counts BatchNorm's statistics."""
    strided = {32: 2, 64: 2, 128: 2, 256: 2}  # the first block of each of these widths halves the map
    blocks: list[BlockSpec] = [ConvSpec(8, stride=2, activation="relu", bias=True)]
    for width in (16, 32, 32, 64, 64, *(128,) * 6, 256, 256):
        blocks.append(SeparableSpec(width, stride=strided.pop(width, 1), bias=True))
    return Body(tuple(blocks), HeadSpec(0), counts_statistics=True)


def mobilenet_v2(multiplier: float) -> Body:
    """MobileNetV2 of at most its full width, Table 2: rows of expansion, width, blocks, stride."""
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
        rows = residuals(width, after, expansion, blocks=repeats, stride=stride)
        blocks += [dataclasses.replace(row, activation="relu6") for row in rows]
        width = after
    return Body(tuple(blocks), HeadSpec(1280, activation="relu6"))


# Kernel, hidden, width, whether it squeezes, activation, stride.
_Row = tuple[int, int, int, bool, Activation, int]


def mobilenet_v3_small() -> Body:
    """MobileNetV3-Small, Table 2."""
    rows: tuple[_Row, ...] = (
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
    )
    return _mobilenet_v3(rows, HeadSpec(576, hidden=1024, activation="hardswish"))


def mobilenet_v3_large() -> Body:
    """MobileNetV3-Large, Table 1."""
    rows: tuple[_Row, ...] = (
        (3, 16, 16, False, "relu", 1),
        (3, 64, 24, False, "relu", 2),
        (3, 72, 24, False, "relu", 1),
        (5, 72, 40, True, "relu", 2),
        (5, 120, 40, True, "relu", 1),
        (5, 120, 40, True, "relu", 1),
        (3, 240, 80, False, "hardswish", 2),
        (3, 200, 80, False, "hardswish", 1),
        (3, 184, 80, False, "hardswish", 1),
        (3, 184, 80, False, "hardswish", 1),
        (3, 480, 112, True, "hardswish", 1),
        (3, 672, 112, True, "hardswish", 1),
        (5, 672, 160, True, "hardswish", 2),
        (5, 960, 160, True, "hardswish", 1),
        (5, 960, 160, True, "hardswish", 1),
    )
    return _mobilenet_v3(rows, HeadSpec(960, hidden=1280, activation="hardswish"))


def _mobilenet_v3(rows: tuple[_Row, ...], head: HeadSpec) -> Body:
    """A stride-2 stem of 16 channels, then a block for each row.

    Squeeze-and-excitation has a quarter of the hidden channels, rounded as widths are (as in torchvision).
    """
    width = 16
    blocks: list[BlockSpec] = [ConvSpec(width, stride=2, activation="hardswish")]
    for kernel, hidden, after, squeezes, activation, stride in rows:
        blocks.append(
            InvertedResidualSpec(
                after,
                hidden,
                kernel=kernel,
                stride=stride,
                expand=hidden != width,
                activation=activation,
                squeeze=_multiple_of_8(hidden / 4) if squeezes else 0,
            )
        )
        width = after
    return Body(tuple(blocks), head)


def _multiple_of_8(value: float) -> int:
    """The nearest multiple of 8, at least 8 and never below 90% of `value`."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded
