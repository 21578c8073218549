"""Draws a network block by block as an SVG: what each block is, its widths, strides and map sizes.

Beside each block stands the map that leaves it, as high as the map's side and as wide as its channels
are many, both against the network's largest. Hovering over a block shows all of its numbers.
"""

import dataclasses
from html import escape

from hytnas_jax.describe.blocks import BlockRow, describe
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)

# All in SVG units; the drawing scales to the room that it is given.
WIDTH = 366
ROW, GAP, MARGIN = 38, 10, 4
MAP_X, MAP_WIDTH, MAP_HEIGHT = 24, 46, 34  # centre and largest extent
BOX_X, BOX_WIDTH = 54, 226
SHAPE_X = 287
SMALLEST_MAP = 3

# A CSS variable, which a page may set for a dark background, and the colour without one.
COLOURS = {
    "conv": "var(--conv, #1f6fb5)",
    "attention": "var(--attention, #b8500f)",
    "head": "var(--head, #5b6470)",
}


@dataclasses.dataclass(frozen=True)
class _Box:
    """One row of the drawing."""

    family: str  # a key of `COLOURS`
    title: str
    detail: str
    shape: tuple[int, ...]  # of what leaves it
    hover: str


def block_diagram(spec: NetworkSpec) -> str:
    """The SVG element, as wide as its container allows.

    Raises UserError for an impossible specification.
    """
    boxes = _boxes(spec)
    height = MARGIN + (len(boxes) + 1) * (ROW + GAP)
    largest = max(box.shape[-1] for box in boxes[:-1])
    parts = [
        f'<svg class="blocks" viewBox="0 0 {WIDTH} {height}" role="img" font-family="system-ui, sans-serif">',
        f"<title>{escape(spec.name)}: {len(spec.blocks)} blocks</title>",
        *_image_row(spec, largest),
    ]
    y = MARGIN + ROW + GAP
    for box in boxes:
        parts += _box_row(box, y, side=spec.resolution, channels=largest)
        y += ROW + GAP
    return "\n".join([*parts, "</svg>"])


def _boxes(spec: NetworkSpec) -> list[_Box]:
    *block_rows, head_row = describe(spec)
    width = spec.channels
    boxes = []
    for block, row in zip(spec.blocks, block_rows, strict=True):
        family = "attention" if isinstance(block, MobileViTSpec | TransformerSpec) else "conv"
        title, detail = block_label(block, width)
        boxes.append(_Box(family, title, detail, row.shape, _hover(row)))
        width = block.width
    return [*boxes, _Box("head", "head", _head_label(spec.head), head_row.shape, _hover(head_row))]


def block_label(block: BlockSpec, in_width: int) -> tuple[str, str]:
    """A block's name and its details, short enough for one line each."""
    match block:
        case ConvSpec():
            return f"convolution {_window(block)}", block.activation
        case SeparableSpec():
            return f"separable {_window(block)}", block.activation
        case InvertedResidualSpec():
            hidden = f"{in_width} → {block.hidden} → {block.width}"
            skip = ", + input" if block.stride == 1 and in_width == block.width else ""
            squeeze = f", squeeze {block.squeeze}" if block.squeeze else ""
            return f"inverted residual {_window(block)}", hidden + squeeze + skip
        case MobileViTSpec():
            detail = f"embed {block.embed}, {_heads(block)}, ffn {block.ffn}, patch {block.patch}"
            return _attention(block), detail
        case PatchEmbedSpec():
            return f"patches {block.patch}×{block.patch}", "linear, + positions"
        case TransformerSpec():
            return _attention(block), f"all pixels, {_heads(block)}, ffn {block.ffn}"


def _attention(block: MobileViTSpec | TransformerSpec) -> str:
    return "attention, 1 layer" if block.depth == 1 else f"attention, {block.depth} layers"


def _heads(block: MobileViTSpec | TransformerSpec) -> str:
    return "1 head" if block.heads == 1 else f"{block.heads} heads"


def _window(block: ConvSpec | SeparableSpec | InvertedResidualSpec) -> str:
    stride = f", stride {block.stride}" if block.stride > 1 else ""
    return f"{block.kernel}×{block.kernel}{stride}"


def _head_label(head: HeadSpec | DenseHeadSpec) -> str:
    if isinstance(head, DenseHeadSpec):
        return f"{len(head.taps)} maps to {head.width}, {head.depth} × separable {head.kernel}×{head.kernel}"
    conv = f"1×1 to {head.width}, " if head.width else ""
    hidden = f"linear {head.hidden}, " if head.hidden else ""
    return f"{conv}mean, {hidden}classifier"


def _hover(row: BlockRow) -> str:
    return (
        f"{row.block}: {row.layers}; {row.num_parameters:,} parameters, {row.num_macs:,} MACs, "
        f"peak memory {row.peak_activation_bytes:,} bytes"
    )


def _image_row(spec: NetworkSpec, largest: int) -> list[str]:
    shape = (spec.resolution, spec.resolution, spec.channels)
    middle = MARGIN + ROW / 2
    return [
        _map(shape, middle, spec.resolution, largest),
        f'<text x="{BOX_X + 10}" y="{middle + 4}" font-size="12" fill="currentColor">image</text>',
        _shape_text(shape, middle),
    ]


def _box_row(box: _Box, y: float, *, side: int, channels: int) -> list[str]:
    middle, x = y + ROW / 2, BOX_X + BOX_WIDTH / 2
    arrow = f"M{x} {y - GAP} v{GAP - 3} m-3 -3 l3 3 l3 -3"
    parts = [
        f'<path d="{arrow}" fill="none" stroke="currentColor" opacity=".5"/>',
        f'<g class="{box.family}"><title>{escape(box.hover)}</title>',
        f'<rect x="{BOX_X}" y="{y}" width="{BOX_WIDTH}" height="{ROW}" rx="6" fill="{COLOURS[box.family]}"/>',
        f'<text x="{BOX_X + 10}" y="{y + 16}" font-size="11.5" font-weight="600" fill="#fff">'
        f"{escape(box.title)}</text>",
        f'<text x="{BOX_X + 10}" y="{y + 30}" font-size="10.5" fill="#fff">{escape(box.detail)}</text>',
        "</g>",
        _shape_text(box.shape, middle),
    ]
    if len(box.shape) == 3:
        parts.append(_map(box.shape, middle, side, channels))
    return parts


def _map(shape: tuple[int, ...], middle: float, side: int, channels: int) -> str:
    height = max(SMALLEST_MAP, MAP_HEIGHT * shape[0] / side)
    width = max(SMALLEST_MAP, MAP_WIDTH * min(1, shape[-1] / channels))
    return (
        f'<rect x="{MAP_X - width / 2:.1f}" y="{middle - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="currentColor" opacity=".22"/>'
    )


def _shape_text(shape: tuple[int, ...], middle: float) -> str:
    text = "×".join(map(str, shape)) if len(shape) == 3 else f"{shape[0]} classes"
    return f'<text x="{SHAPE_X}" y="{middle + 4}" font-size="11.5" fill="currentColor">{text}</text>'
