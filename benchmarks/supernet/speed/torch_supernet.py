"""The peer: the weight-sharing network of a `SearchSpace` in PyTorch, with sliced weights.

What once-for-all and AutoFormer do for their spaces, done for ours, with our semantics: active channels are
the leading ones, active kernel weights the central ones (`supernet.subnet`). Imports no JAX, so that a
process with the peer in it costs what the peer costs.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.supernet.speed.torch_layers import (
    QKV,
    BatchNorm,
    Conv,
    Depthwise,
    LayerNorm,
    Linear,
    PairConv,
    Pointwise,
    attention,
    fold,
    padding_mask,
    unfold,
)
from supernet.architecture import Architecture, StageChoice
from supernet.search_space import SearchSpace


class ConvBlock(nn.Module):
    """The stem: convolution, BatchNorm, SiLU."""

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.conv = Conv(channels, width, kernel=3, stride=stride)
        self.norm = BatchNorm(width)
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, width, H', W']."""
        return functional.silu(self.norm(self.conv(x, self.width)))


class InvertedResidual(nn.Module):
    """MobileNetV2's block; without its expanding convolution where the expansion is 1."""

    def __init__(self, in_width: int, largest: StageChoice, stride: int):
        super().__init__()
        hidden = in_width * largest.expansion
        if largest.expansion > 1:
            self.expand = Pointwise(in_width, hidden)
            self.expand_norm = BatchNorm(hidden)
        self.depthwise = Depthwise(hidden, largest.kernel, stride)
        self.depthwise_norm = BatchNorm(hidden)
        self.project = Pointwise(hidden, largest.width)
        self.project_norm = BatchNorm(largest.width)
        self.stride = stride

    def forward(self, x: Tensor, choice: StageChoice) -> Tensor:
        """[B, in, H, W] -> [B, width, H', W']."""
        in_width, h = x.shape[1], x
        if choice.expansion > 1:
            h = functional.silu(self.expand_norm(self.expand(x, in_width * choice.expansion)))
        h = functional.silu(self.depthwise_norm(self.depthwise(h, choice.kernel)))
        y = self.project_norm(self.project(h, choice.width))
        return x + y if self.stride == 1 and in_width == choice.width else y


class TransformerLayer(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, embed: int, ffn: int):
        super().__init__()
        self.norm1 = LayerNorm(embed)
        self.qkv = QKV(embed)
        self.attention_out = Linear(embed, embed)
        self.norm2 = LayerNorm(embed)
        self.ffn_in = Linear(embed, ffn)
        self.ffn_out = Linear(ffn, embed)

    def forward(self, x: Tensor, choice: StageChoice, mask: Tensor | None) -> Tensor:
        """[B, G, N, d] to the same."""
        q, k, v = self.qkv(self.norm1(x))
        if x.shape[2] > 1:
            v = attention(q, k, v, choice.heads, mask)
        x = x + self.attention_out(v, choice.embed)
        return x + self.ffn_out(functional.silu(self.ffn_in(self.norm2(x), choice.ffn)), choice.embed)


class MobileViT(nn.Module):
    """MobileViT block with fusion; its layers attend within the groups of `unfold`."""

    def __init__(self, largest: StageChoice):
        super().__init__()
        width, embed = largest.width, largest.embed
        self.local = Conv(width, width, kernel=3)
        self.local_norm = BatchNorm(width)
        self.embed = Pointwise(width, embed)
        self.embed_norm = BatchNorm(embed)
        self.layers = nn.ModuleList(TransformerLayer(embed, largest.ffn) for _ in range(largest.depth))
        self.norm = LayerNorm(embed)
        self.back = Pointwise(embed, width)
        self.back_norm = BatchNorm(width)
        self.fuse = PairConv(width, kernel=3)
        self.fuse_norm = BatchNorm(width)

    def forward(self, x: Tensor, choice: StageChoice) -> Tensor:
        """[B, width, H, W] to the same."""
        height, breadth = x.shape[2:]
        h = functional.silu(self.local_norm(self.local(x, choice.width)))
        h = self.embed_norm(self.embed(h, choice.embed))
        tokens, mask = unfold(h, choice.patch), padding_mask(height, breadth, choice.patch, h.device)
        for layer in self.layers[: choice.depth]:
            tokens = layer(tokens, choice, mask)
        h = fold(self.norm(tokens), choice.patch, height, breadth)
        h = functional.silu(self.back_norm(self.back(h, choice.width)))
        return functional.silu(self.fuse_norm(self.fuse(x, h)))


class Stage(nn.Module):
    """The first inverted residual, then both kinds of blocks that the stage may hold."""

    def __init__(self, in_width: int, of_conv: StageChoice, of_attention: StageChoice, stride: int):
        """The largest choices of each kind of block; where the stage has but one kind, twice the same."""
        super().__init__()
        self.first = InvertedResidual(in_width, of_conv, stride)
        num_more = of_conv.depth - 1 if of_conv.block == "conv" else 0
        self.more = nn.ModuleList(InvertedResidual(of_conv.width, of_conv, 1) for _ in range(num_more))
        self.transformer = MobileViT(of_attention) if of_attention.block == "attention" else None

    def forward(self, x: Tensor, choice: StageChoice) -> Tensor:
        """[B, in, H, W] -> [B, width, H', W']."""
        x = self.first(x, choice)
        if choice.block == "attention":
            assert self.transformer is not None
            return self.transformer(x, choice)
        for block in self.more[: choice.depth - 1]:
            x = block(x, choice)
        return x


class Head(nn.Module):
    """1x1 convolution, global average, classifier."""

    def __init__(self, in_width: int, width: int, num_classes: int):
        super().__init__()
        self.conv = Pointwise(in_width, width)
        self.norm = BatchNorm(width)
        self.classifier = Linear(width, num_classes)
        self.num_classes = num_classes

    def forward(self, x: Tensor, width: int) -> Tensor:
        """[B, in, H, W] -> logits [B, num_classes]."""
        h = functional.silu(self.norm(self.conv(x, width)))
        return self.classifier(h.mean((2, 3)), self.num_classes)


class TorchSupernet(nn.Module):
    """All stages of a space at their largest, with random weights; `torch_layers.load_params` takes ours.

    `dtype` is what PyTorch's autocast computes in; weights, statistics and logits are float32.
    """

    def __init__(
        self, space: SearchSpace, *, channels: int, num_classes: int, dtype: torch.dtype = torch.float32
    ):
        super().__init__()
        self._dtype = dtype
        self._head_width = space.head_width
        self.stem = ConvBlock(channels, space.stem_width, space.stem_stride)
        width, stages = space.stem_width, []
        largest = zip(space.stages, _largest(space, "conv"), _largest(space, "attention"), strict=True)
        for stage, of_conv, of_attention in largest:
            stages.append(Stage(width, of_conv, of_attention, stage.stride))
            width = of_conv.width
        self.stages = nn.ModuleList(stages)
        self.head = Head(width, space.head_width(width), num_classes)

    def forward(self, images: Tensor, architecture: Architecture) -> Tensor:
        """[B, C, H, W] -> logits [B, num_classes] of one architecture."""
        with torch.autocast(images.device.type, self._dtype, enabled=self._dtype != torch.float32):
            x = self.stem(images)
            for stage, choice in zip(self.stages, architecture.stages, strict=True):
                x = stage(x, choice)
            return self.head(x, self._head_width(architecture.stages[-1].width)).float()

    def compile_blocks(self, backend: str = "inductor") -> None:
        """`torch.compile` for every block by itself, its sizes dynamic.

        A block has few variants, the whole network as many as there are architectures. What Inductor fails at
        stays eager, as it does beyond PyTorch's `recompile_limit` (8 for a kind of block). Backward passes
        are compiled with the forward ones: a failure there alone would end the training.
        """
        torch._dynamo.config.suppress_errors = True
        torch._functorch.config.force_non_lazy_backward_lowering = True
        for module in self.modules():
            if isinstance(module, ConvBlock | InvertedResidual | MobileViT | Head):
                module.compile(dynamic=True, backend=backend)

    def batch_norms(self) -> list[BatchNorm]:
        """All of them, of every stage and kind."""
        return [module for module in self.modules() if isinstance(module, BatchNorm)]


def _largest(space: SearchSpace, kind: str) -> tuple[StageChoice, ...]:
    """The stages of the largest architecture of that kind of block, wherever there is a choice."""
    kinds: list[Any] = [gene.choices.index(kind) if kind in gene.choices else 0 for gene in space.genes]
    return space.decode(space.extreme(kinds, largest=True)).stages
