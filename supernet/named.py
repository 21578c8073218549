"""Published networks by name, at the width and depth of their publications.

    named_network("mobilevit-xs", num_classes=1000, resolution=256)

Sources: HyT-NAS arXiv 2303.04440, MobileViT arXiv 2110.02178, ViT arXiv 2010.11929; those of the MobileNets
are in `mobilenets`.
"""

import dataclasses
import difflib
from collections.abc import Callable

from supernet.errors import UserError
from supernet.mobilenets import (
    Body,
    mobilenet_v1_quarter,
    mobilenet_v2,
    mobilenet_v3_large,
    mobilenet_v3_small,
    residuals,
)
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    TransformerSpec,
)
from supernet.spec_checks import check_network_spec


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
        UserError: for a name that is not known, and the message lists those that are; for a resolution that
            the network cannot take (`vit-tiny` takes multiples of 16).

    Examples:
      >>> from supernet import named_network
      >>> len(named_network("mobilevit-xs", num_classes=1000, resolution=256).blocks)
      11
    """
    if name not in _BODIES:
        near = difflib.get_close_matches(name.lower(), NAMES, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UserError(f"no network is called {name!r}; {hint}Known: {', '.join(NAMES)}")
    body = _BODIES[name]()
    spec = NetworkSpec(
        name=name,
        resolution=resolution,
        channels=channels,
        num_classes=num_classes,
        blocks=body.blocks,
        head=body.head,
        counts_statistics=body.counts_statistics,
    )
    check_network_spec(spec)
    return spec


def with_dense_head(
    spec: NetworkSpec, *, stride: int, box_channels: int, width: int = 48, depth: int = 2
) -> NetworkSpec:
    """A network's blocks under the head of detection or segmentation (`DenseHeadSpec`), in the place of its
    own.

    `stride` is how many pixels a cell has in each direction: the head reads the last map of that stride and
    of each larger one. Where all are larger, it is the smallest that there is.

    Raises:
        UserError: the maps are not each half of the one before.

    Examples:
      >>> from supernet import named_network, with_dense_head
      >>> spec = named_network("mobilenetv3-small", num_classes=1, resolution=96)
      >>> with_dense_head(spec, stride=8, box_channels=4).head.taps
      (3, 8, 11)
    """
    total, last = 1, dict[int, int]()
    for index, block in enumerate(spec.blocks):
        total *= getattr(block, "stride", 1)
        last[total] = index
    if isinstance(spec.blocks[0], PatchEmbedSpec):
        last = {spec.blocks[0].patch: len(spec.blocks) - 1}
    taps = tuple(index for found, index in last.items() if found >= min(stride, max(last)))
    dense = dataclasses.replace(
        spec, head=DenseHeadSpec(width, depth, taps, box_channels=box_channels), counts_statistics=False
    )
    check_network_spec(dense)
    return dense


def _hybrid_blocks(
    convolutional: list[InvertedResidualSpec], stages: list[_HybridStage], *, embed_norm: bool
) -> tuple[BlockSpec, ...]:
    """Stride-2 stem of 16 channels, the convolutional stages, then the hybrid ones."""
    blocks: list[BlockSpec] = [ConvSpec(16, stride=2), *convolutional]
    width = convolutional[-1].width
    for stage in stages:
        blocks += residuals(width, stage.width, stage.expansion, blocks=1, stride=2)
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


def _hyt_nas(stage1: tuple[int, int, int], stage2: tuple[int, int, int], stages: list[_HybridStage]) -> Body:
    """A published HyT-NAS winner; stages 1 and 2 are (width, expansion, blocks)."""
    convolutional = [
        *residuals(16, stage1[0], stage1[1], blocks=stage1[2], stride=1),
        *residuals(stage1[0], stage2[0], stage2[1], blocks=stage2[2], stride=2),
    ]
    blocks = _hybrid_blocks(convolutional, stages, embed_norm=True)
    return Body(blocks, HeadSpec(max(stages[-1].width // 2, 32)))


def _hyt_nas_bl() -> Body:
    stages = [
        _HybridStage(8, heads=2, embed=16, ffn=24, expansion=4, patch=8),
        _HybridStage(8, heads=2, embed=16, ffn=32, expansion=1, patch=8),
        _HybridStage(8, heads=2, embed=16, ffn=24, expansion=1, patch=8),
    ]
    return _hyt_nas((8, 1, 1), (8, 1, 1), stages)


def _hyt_nas_o() -> Body:
    stages = [
        _HybridStage(32, heads=4, embed=32, ffn=48, expansion=4, patch=4),
        _HybridStage(32, heads=4, embed=32, ffn=64, expansion=1, patch=2),
        _HybridStage(48, heads=4, embed=64, ffn=64, expansion=1, patch=8),
    ]
    return _hyt_nas((32, 1, 1), (32, 1, 1), stages)


def _hyt_nas_ba() -> Body:
    stages = [
        _HybridStage(64, heads=4, embed=64, ffn=96, expansion=4, patch=8),
        _HybridStage(128, heads=4, embed=128, ffn=256, expansion=1, patch=8),
        _HybridStage(256, heads=1, embed=256, ffn=512, expansion=2, patch=4),
    ]
    return _hyt_nas((32, 4, 1), (32, 4, 4), stages)


def _mobilevit(expansion: int, widths: tuple[int, ...], embeds: tuple[int, ...]) -> Body:
    """MobileViT, Table 4 of the paper: 4 heads, 2x2 patches, FFN twice the embedding."""
    first, second, *hybrid = widths
    convolutional = [
        *residuals(16, first, expansion, blocks=1, stride=1),
        *residuals(first, second, expansion, blocks=3, stride=2),
    ]
    stages = [
        _HybridStage(width, 4, embed, 2 * embed, expansion, patch=2, depth=depth)
        for width, embed, depth in zip(hybrid, embeds, (2, 4, 3), strict=True)
    ]
    blocks = _hybrid_blocks(convolutional, stages, embed_norm=False)
    return Body(blocks, HeadSpec(4 * widths[-1]))


def _vit_tiny() -> Body:
    """ViT-Ti/16 in its plain form: no class token, fixed positions, mean of the last tokens, a linear
    classifier (arXiv 2205.01580); sizes as in arXiv 2106.04560, Table 2; GELU by its definition.

    DeiT-Ti (arXiv 2012.12877) is the same with learned positions and a class token: 197 * 192 + 192 more.
    """
    blocks = (PatchEmbedSpec(192, patch=16), TransformerSpec(192, heads=3, ffn=768, depth=12))
    return Body(blocks, HeadSpec(0))


_BODIES: dict[str, Callable[[], Body]] = {
    "hyt-nas-bl": _hyt_nas_bl,
    "hyt-nas-o": _hyt_nas_o,
    "hyt-nas-ba": _hyt_nas_ba,
    "mobilevit-xxs": lambda: _mobilevit(2, (16, 24, 48, 64, 80), (64, 80, 96)),
    "mobilevit-xs": lambda: _mobilevit(4, (32, 48, 64, 80, 96), (96, 120, 144)),
    "mobilevit-s": lambda: _mobilevit(4, (32, 64, 96, 128, 160), (144, 192, 240)),
    "mobilenetv1-0.25": mobilenet_v1_quarter,
    "mobilenetv2-0.35": lambda: mobilenet_v2(0.35),
    "mobilenetv2": lambda: mobilenet_v2(1.0),
    "mobilenetv3-small": mobilenet_v3_small,
    "mobilenetv3-large": mobilenet_v3_large,
    "vit-tiny": _vit_tiny,
}
NAMES = tuple(_BODIES)
