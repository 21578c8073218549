"""What a stand-alone network consists of: a plain, immutable description, block by block.

A `NetworkSpec` is what everything after the search space works on: the Flax network (`network`), the
operation graph (`graph`) from which parameters, MACs, peak memory and ONNX files come, and the drawings
of the report. It knows nothing of spaces and genes, so published networks are described the same way.

All convolutions are without bias and followed by BatchNorm unless a field says otherwise.
"""

import dataclasses
from typing import Any, Literal

Activation = Literal["relu", "relu6", "silu", "hardswish", "gelu", "none"]


@dataclasses.dataclass(frozen=True)
class ConvSpec:
    """Full convolution `kernel` x `kernel`, BatchNorm, activation."""

    width: int
    kernel: int = 3
    stride: int = 1
    activation: Activation = "silu"
    bias: bool = False


@dataclasses.dataclass(frozen=True)
class SeparableSpec:
    """Depthwise then 1x1 convolution, each with BatchNorm and activation (MobileNetV1)."""

    width: int
    kernel: int = 3
    stride: int = 1
    activation: Activation = "relu"
    bias: bool = False


@dataclasses.dataclass(frozen=True)
class InvertedResidualSpec:
    """1x1 expansion to `hidden`, depthwise, 1x1 projection to `width` (MobileNetV2, arXiv 1801.04381).

    `expand=False` leaves the expanding convolution out (then `hidden` is the input's width). The input is
    added where stride is 1 and the widths agree. `squeeze > 0` adds squeeze-and-excitation of that many
    channels after the depthwise convolution (MobileNetV3).
    """

    width: int
    hidden: int
    kernel: int = 3
    stride: int = 1
    expand: bool = True
    activation: Activation = "silu"
    squeeze: int = 0


@dataclasses.dataclass(frozen=True)
class MobileViTSpec:
    """MobileViT block with fusion (arXiv 2110.02178): 3x3 conv, 1x1 conv to `embed`, `depth` pre-norm
    transformer layers over the pixels that share a place in their `patch` x `patch` patch, LayerNorm,
    1x1 conv back, concatenation with the input, 3x3 conv.

    Head h of H takes the channels c with c mod H = h (interleaved, so that a subnet's heads are the same
    whatever the embedding's size). `embed_norm` says whether the 1x1 conv to `embed` has BatchNorm
    (HyT-NAS) or is plain (MobileViT). Where `patch` does not divide the map, the last patches are smaller.
    """

    width: int
    embed: int
    heads: int
    ffn: int
    depth: int
    patch: int
    kernel: int = 3
    embed_norm: bool = True


@dataclasses.dataclass(frozen=True)
class PatchEmbedSpec:
    """ViT's beginning (arXiv 2010.11929, section 3.1): each `patch` x `patch` pixels to `width` channels by
    one biased linear map, no norm, and fixed position embeddings on top (`positions`).

    `patch` divides the map's side; `width` is a multiple of 4, from 8 on.
    """

    width: int
    patch: int

    @property
    def stride(self) -> int:
        return self.patch


@dataclasses.dataclass(frozen=True)
class TransformerSpec:
    """`depth` pre-norm layers (arXiv 2010.11929, equations 2 and 3, with GELU) over all pixels of a map that
    is `width` channels wide, and a last LayerNorm. Heads are interleaved, as in `MobileViTSpec`."""

    width: int
    heads: int
    ffn: int
    depth: int


BlockSpec = ConvSpec | SeparableSpec | InvertedResidualSpec | MobileViTSpec | PatchEmbedSpec | TransformerSpec


@dataclasses.dataclass(frozen=True)
class HeadSpec:
    """1x1 conv to `width` (0: none), global average pooling, a linear layer to `hidden` with activation
    (0: none), and the biased classifier."""

    width: int
    hidden: int = 0
    activation: Activation = "silu"


@dataclasses.dataclass(frozen=True)
class DenseHeadSpec:
    """One output for each cell of a map: detection and segmentation.

    `taps` are the numbers of the blocks whose maps are read, ascending; each map has half the side of the one
    before. Each goes through a 1x1 convolution to `width` and BatchNorm; the coarsest is enlarged twofold by
    repeating pixels and added to the next, down to the finest (arXiv 1612.03144, section 3); `depth`
    depthwise and 1x1 convolutions follow, and a biased 1x1 convolution to num_classes + `box_channels`
    channels. `box_channels` is 4 where each cell has a box, else 0.
    """

    width: int
    depth: int
    taps: tuple[int, ...]
    kernel: int = 5
    box_channels: int = 0
    activation: Activation = "relu"


@dataclasses.dataclass(frozen=True)
class NetworkSpec:
    """A whole network for images [B, resolution, resolution, channels].

    Examples:
      >>> from supernet import NetworkSpec, named_network
      >>> spec = named_network("hyt-nas-bl", num_classes=2, resolution=96)
      >>> NetworkSpec.from_json(spec.to_json()) == spec
      True
    """

    name: str
    resolution: int
    channels: int
    num_classes: int
    blocks: tuple[BlockSpec, ...]
    head: HeadSpec | DenseHeadSpec
    # True only where the publication counts BatchNorm's running statistics as parameters (Keras does).
    counts_statistics: bool = False

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values; `from_json` gives back an equal spec."""
        blocks = [{"block": _NAMES[type(b)], **dataclasses.asdict(b)} for b in self.blocks]
        head = dataclasses.asdict(self.head)
        if isinstance(self.head, DenseHeadSpec):
            head = {"head": "dense", **head, "taps": list(self.head.taps)}
        return {**dataclasses.asdict(self), "blocks": blocks, "head": head}

    @property
    def taps(self) -> tuple[int, ...]:
        """The numbers of the blocks whose maps the head reads."""
        return self.head.taps if isinstance(self.head, DenseHeadSpec) else (len(self.blocks) - 1,)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "NetworkSpec":
        """The inverse of `to_json`. Raises TypeError or KeyError for what is not such a dict."""
        blocks = []
        for entry in data["blocks"]:
            fields = dict(entry)
            blocks.append(_TYPES[fields.pop("block")](**fields))
        rest = {k: v for k, v in data.items() if k not in ("blocks", "head")}
        return NetworkSpec(**rest, blocks=tuple(blocks), head=_head_from_json(dict(data["head"])))


def _head_from_json(fields: dict[str, Any]) -> HeadSpec | DenseHeadSpec:
    if fields.pop("head", None) == "dense":
        return DenseHeadSpec(**{**fields, "taps": tuple(fields["taps"])})
    return HeadSpec(**fields)


_TYPES = {
    "conv": ConvSpec,
    "separable": SeparableSpec,
    "inverted_residual": InvertedResidualSpec,
    "mobilevit": MobileViTSpec,
    "patch_embed": PatchEmbedSpec,
    "transformer": TransformerSpec,
}
_NAMES = {cls: name for name, cls in _TYPES.items()}
