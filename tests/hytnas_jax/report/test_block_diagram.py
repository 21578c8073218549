"""Each kind of block is drawn with its name, its family, the map that leaves it and its numbers."""

import xml.etree.ElementTree as ET

import pytest

from hytnas_jax.report.block_diagram import block_diagram, block_label
from supernet.errors import UserError
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)

SPEC = NetworkSpec(
    name="one of <each>",
    resolution=16,
    channels=3,
    num_classes=5,
    blocks=(
        ConvSpec(8, stride=2),
        SeparableSpec(12),
        InvertedResidualSpec(16, hidden=24, kernel=5, stride=2, squeeze=4),
        MobileViTSpec(16, embed=24, heads=2, ffn=48, depth=3, patch=2),
        PatchEmbedSpec(16, patch=2),
        TransformerSpec(16, heads=2, ffn=48, depth=1),
    ),
    head=HeadSpec(32, hidden=20),
)


def test_a_network_with_every_kind_of_block() -> None:
    svg = ET.fromstring(block_diagram(SPEC))
    groups = list(svg.iter("g"))
    assert [group.get("class") for group in groups] == [
        *["conv"] * 3,
        "attention",
        "conv",
        "attention",
        "head",
    ]
    texts = [text.text for text in svg.iter("text")]
    shapes = ["16×16×3", "8×8×8", "8×8×12", "4×4×16", "4×4×16", "2×2×16", "2×2×16", "5 classes"]
    assert [text for text in texts if text in shapes] == shapes
    assert svg.findtext("title") == "one of <each>: 6 blocks"
    hover = groups[0].findtext("title") or ""
    # 3x3x3x8 weights and 2x8 of BatchNorm; 8x8 places of 216 MACs
    assert "232 parameters, 13,824 MACs" in hover


@pytest.mark.parametrize(
    ("block", "in_width", "label"),
    [
        (ConvSpec(8, stride=2), 3, ("convolution 3×3, stride 2", "silu")),
        (SeparableSpec(12, kernel=5), 8, ("separable 5×5", "relu")),
        (InvertedResidualSpec(8, hidden=32), 8, ("inverted residual 3×3", "8 → 32 → 8, + input")),
        (
            InvertedResidualSpec(12, hidden=32, stride=2, squeeze=4),
            8,
            ("inverted residual 3×3, stride 2", "8 → 32 → 12, squeeze 4"),
        ),
        (
            MobileViTSpec(16, embed=24, heads=1, ffn=48, depth=1, patch=2),
            16,
            ("attention, 1 layer", "embed 24, 1 head, ffn 48, patch 2"),
        ),
        (
            MobileViTSpec(16, embed=24, heads=4, ffn=48, depth=2, patch=2),
            16,
            ("attention, 2 layers", "embed 24, 4 heads, ffn 48, patch 2"),
        ),
        (PatchEmbedSpec(192, patch=16), 3, ("patches 16×16", "linear, + positions")),
        (
            TransformerSpec(192, heads=3, ffn=768, depth=12),
            192,
            ("attention, 12 layers", "all pixels, 3 heads, ffn 768"),
        ),
    ],
)
def test_labels(block: BlockSpec, in_width: int, label: tuple[str, str]) -> None:
    assert block_label(block, in_width) == label


def test_maps_shrink_and_widen_with_the_network() -> None:
    svg = ET.fromstring(block_diagram(SPEC))
    maps = [rect for rect in svg.iter("rect") if rect.get("opacity")]
    assert [float(rect.get("height", "")) for rect in maps] == [34.0, 17.0, 17.0, 8.5, 8.5, 4.2, 4.2]
    widths = [float(rect.get("width", "")) for rect in maps]
    assert widths[1:] == [23.0, 34.5, 46.0, 46.0, 46.0, 46.0]


def test_an_impossible_network_is_refused() -> None:
    with pytest.raises(UserError):
        block_diagram(NetworkSpec("none", 8, 1, 2, (ConvSpec(0),), HeadSpec(0)))
