"""The values a lowered network consists of: operations with shapes, and the graph that orders them.

Shape letters: R resolution, H W a feature map's sides (equal), C channels, d embedding, G groups of
pixels that attend to one another, N pixels in a group. Maps are [H, W, C], tokens [G, N, d],
vectors [C]; there is no batch axis.
"""

import dataclasses
from typing import Literal

from supernet.network_spec import Activation

Shape = tuple[int, ...]
Function = Activation | Literal["hard_sigmoid"]
Kind = Literal[
    "conv",  # [H, W, C] -> [H', W', C'], full kernel
    "depthwise",  # [H, W, C] -> [H', W', C], one kernel a channel
    "pointwise",  # [H, W, C] -> [H, W, C'], 1x1 convolution
    "linear",  # [..., C] -> [..., C']
    "activation",  # elementwise `function`
    "add",  # elementwise
    "position",  # adds fixed position embeddings [H, W, C] to a map (`positions`)
    "multiply",  # map [H, W, C] times vector [C]
    "concat",  # along channels
    "global_pool",  # [H, W, C] -> [C], mean
    "upsample",  # [H, W, C] -> [2H, 2W, C], each pixel repeated
    "pad",  # map up to a multiple of the patch, zeros below and to the right
    "crop",  # the rows and columns at the top left
    "unfold",  # [H, W, d] -> [G, N, d]
    "fold",  # the inverse of unfold
    "layer_norm",  # over the last axis
    "split_heads",  # [G, N, 3d] -> [G, heads, N, d/heads]: query, key or value
    "scores",  # query times key, scaled: [G, heads, N, N]
    "mask",  # adds -infinity where the key is padding
    "softmax",  # over the last axis
    "mix",  # scores times value: [G, heads, N, d/heads]
    "merge_heads",  # [G, heads, N, d/heads] -> [G, N, d]
]
QUERY, KEY, VALUE = range(3)


@dataclasses.dataclass(frozen=True)
class Op:
    """One operation. Tensor 0 is the graph's input; operation i (from 0) makes tensor i + 1.

    `weights` and `norm` are paths in the network's parameter tree, "" where there are none: the
    layer that holds `kernel` (and `bias`) or LayerNorm's `scale` and `bias`, and the BatchNorm
    folded in.
    """

    kind: Kind
    name: str  # unique, e.g. "blocks/3/expand"
    inputs: tuple[int, ...]
    output: int
    shape: Shape  # of the output
    weights: str = ""
    norm: str = ""
    bias: bool = False
    num_parameters: int = 0
    num_macs: int = 0
    is_view: bool = False  # moves no data: the output is the input under another shape
    kernel: int = 1
    stride: int = 1
    padding: int = 0  # convolutions: zeros on each side of the map
    function: Function = "none"  # activation
    patch: int = 1  # unfold, fold, mask
    side: int = 0  # mask: the map's side before padding
    heads: int = 1  # split_heads, scores, mix, merge_heads
    part: int = 0  # split_heads: QUERY, KEY or VALUE; linear qkv: VALUE where only that is needed

    @property
    def block(self) -> str:
        """The block it belongs to: "blocks/<i>" or "head"."""
        first, second, *_ = self.name.split("/")
        return first if first == "head" else f"{first}/{second}"


@dataclasses.dataclass(frozen=True, eq=False)
class Graph:
    """The operations of a network, or of a part of one, in execution order. A graph equals itself alone."""

    name: str
    input_shape: Shape  # of tensor 0: [R, R, C] of the image, or what a part reads
    ops: tuple[Op, ...]

    @property
    def reads_tokens(self) -> bool:
        """Whether tensor 0 is tokens [G, N, d], as a linear layer reads them, and no map."""
        return self.ops[0].kind == "linear"

    def shape(self, tensor: int) -> Shape:
        """Shape of a tensor by its id, without a batch axis."""
        return self.ops[tensor - 1].shape if tensor else self.input_shape
