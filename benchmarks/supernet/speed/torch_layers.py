"""The peer's layers in PyTorch: parameters of the largest size, of which a call uses a slice.

As in once-for-all (arXiv 1908.09791) and AutoFormer (arXiv 2107.00651), but for one thing: the sizes in use
are arguments of the call, not settings left on the layer. Sizes that the input shows are not given again.

Every parameter is called as in our network, so that `load_params` can copy one onto the other; `axes` is the
order of our array's axes in the peer's. Letters: B batch, C channels, H W map, K kernel side, N tokens,
G groups, d embedding.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-5


class Layer(nn.Module):
    """A layer whose `kernel` has the axes of our array in the order `axes`."""

    axes: ClassVar[tuple[int, ...]] = ()


class Conv(Layer):
    """Full convolution, kernel [out, in, K, K], padding K // 2."""

    axes = (3, 2, 0, 1)

    def __init__(self, in_width: int, width: int, kernel: int, stride: int = 1):
        super().__init__()
        self.kernel = _random((width, in_width, kernel, kernel), fan_in=kernel**2 * in_width)
        self.stride = stride

    def forward(self, x: Tensor, width: int) -> Tensor:
        """[B, in, H, W] -> [B, width, H', W']."""
        kernel = self.kernel[:width, : x.shape[1]]
        return functional.conv2d(x, kernel, stride=self.stride, padding=kernel.shape[-1] // 2)


class PairConv(Layer):
    """Convolution over two maps side by side, kernel [out, 2, in, K, K]."""

    axes = (4, 2, 3, 0, 1)

    def __init__(self, width: int, kernel: int):
        super().__init__()
        self.kernel = _random((width, 2, width, kernel, kernel), fan_in=2 * kernel**2 * width)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """[B, C, H, W] twice -> [B, C, H, W]."""
        width = first.shape[1]
        kernel = self.kernel[:width, :, :width].flatten(1, 2)
        return functional.conv2d(torch.cat([first, second], 1), kernel, padding=kernel.shape[-1] // 2)


class Depthwise(Layer):
    """Depthwise convolution, kernel [C, 1, K, K]; a smaller kernel is the central part."""

    axes = (2, 0, 1)

    def __init__(self, width: int, kernel: int, stride: int):
        super().__init__()
        self.kernel = _random((width, 1, kernel, kernel), fan_in=kernel**2)
        self.stride = stride

    def forward(self, x: Tensor, side: int) -> Tensor:
        """[B, C, H, W] -> [B, C, H', W'] with the central `side` x `side` weights."""
        width, start = x.shape[1], (self.kernel.shape[-1] - side) // 2
        kernel = self.kernel[:width, :, start : start + side, start : start + side]
        return functional.conv2d(x, kernel, stride=self.stride, padding=side // 2, groups=width)


class Pointwise(Layer):
    """1x1 convolution, kernel [out, in, 1, 1]."""

    axes = (1, 0)

    def __init__(self, in_width: int, width: int):
        super().__init__()
        self.kernel = _random((width, in_width, 1, 1), fan_in=in_width)

    def forward(self, x: Tensor, width: int) -> Tensor:
        """[B, in, H, W] -> [B, width, H, W]."""
        return functional.conv2d(x, self.kernel[:width, : x.shape[1]])


class Linear(Layer):
    """Linear layer over the last axis, kernel [out, in], bias [out]."""

    axes = (1, 0)

    def __init__(self, in_width: int, width: int):
        super().__init__()
        self.kernel = _random((width, in_width), fan_in=in_width)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, width: int) -> Tensor:
        """[..., in] -> [..., width]."""
        return functional.linear(x, self.kernel[:width, : x.shape[-1]], self.bias[:width])


class QKV(Layer):
    """Queries, keys and values in one product, kernel [3, d, d], bias [3, d]."""

    axes = (1, 2, 0)

    def __init__(self, width: int):
        super().__init__()
        self.kernel = _random((3, width, width), fan_in=width)
        self.bias = nn.Parameter(torch.zeros(3, width))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """[..., d] -> three times [..., d]."""
        width = x.shape[-1]
        kernel, bias = self.kernel[:, :width, :width], self.bias[:, :width]
        return functional.linear(x, kernel.flatten(0, 1), bias.flatten()).chunk(3, -1)


class LayerNorm(Layer):
    """LayerNorm over the channels in use."""

    def __init__(self, width: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """[..., d] to the same."""
        width = x.shape[-1]
        return functional.layer_norm(x, (width,), self.scale[:width], self.bias[:width], EPSILON)


class BatchNorm(Layer):
    """BatchNorm by the batch in training, else by `mean` and `var`, which only `calibrate` sets.

    Between `start_collecting` and `stop_collecting` it adds up the statistics of each batch of a subnet: the
    mean, its square, and the (biased) variance. once-for-all collects them the same way. `sums` [4, width]
    holds them and the number of batches: a list or a number would be compiled anew for each batch.
    """

    def __init__(self, width: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.mean: Tensor
        self.var: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("var", torch.ones(width))
        self.sums: Tensor
        self.register_buffer("sums", torch.zeros(4, width))
        self.collecting = False

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same."""
        width = x.shape[1]
        mean, var = self.mean[:width], self.var[:width]
        collecting = self.training and self.collecting
        if collecting:
            mean, var = self.mean.new_zeros(width), self.mean.new_zeros(width)
        elif self.training:
            mean = var = None  # type: ignore[assignment]
        y = functional.batch_norm(
            x, mean, var, self.scale[:width], self.bias[:width], self.training, momentum=1.0, eps=EPSILON
        )
        if collecting:
            count = x.numel() // width
            biased = var * ((count - 1) / count)  # PyTorch hands out the unbiased variance
            self.sums[:, :width] += torch.stack([mean, mean**2, biased, torch.ones_like(mean)])
        return y

    def start_collecting(self) -> None:
        """From now on every call in training is noted."""
        self.collecting = True
        self.sums.zero_()

    def stop_collecting(self) -> None:
        """`mean` and `var` become those of all images since `start_collecting`, where any came by."""
        self.collecting = False
        *sums, count = self.sums
        mean, square, var = (total / count.clamp(min=1) for total in sums)
        self.mean.copy_(torch.where(count > 0, mean, self.mean))
        self.var.copy_(torch.where(count > 0, var + square - mean**2, self.var))


def load_params(module: nn.Module, params: Mapping[str, Any]) -> None:
    """Copy our parameters, a nested dict of arrays, into a module of the same names. All or KeyError."""
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            *names, name = path.split(".")
            value: Any = params
            layer = module
            for part in names:
                value = value[int(part) if part.isdigit() else part]
                layer = getattr(layer, part)
            array = np.asarray(value[name])
            if name == "kernel":
                assert isinstance(layer, Layer)
                array = array.transpose(layer.axes)
            parameter.copy_(torch.tensor(array).reshape(parameter.shape))


def attention(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Attention over tokens [B, G, N, d]; head h of H holds the channels c with c mod H = h."""

    def split(x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, heads)).movedim(-1, 2)  # [B, G, H, N, d / H]

    mixed = functional.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=mask)
    return mixed.movedim(2, -1).flatten(-2)


def unfold(x: Tensor, patch: int) -> Tensor:
    """Groups of the pixels that share a place in their patch: [B, d, H, W] -> [B, G, N, d], zero-padded."""
    batch, width, height, breadth = x.shape
    rows, columns = -(-height // patch), -(-breadth // patch)
    x = functional.pad(x, (0, columns * patch - breadth, 0, rows * patch - height))
    x = x.reshape(batch, width, rows, patch, columns, patch).permute(0, 3, 5, 2, 4, 1)
    return x.reshape(batch, patch * patch, rows * columns, width)


def fold(tokens: Tensor, patch: int, height: int, breadth: int) -> Tensor:
    """The inverse of `unfold`: [B, G, N, d] -> [B, d, height, breadth]."""
    batch, _, _, width = tokens.shape
    rows, columns = -(-height // patch), -(-breadth // patch)
    x = tokens.reshape(batch, patch, patch, rows, columns, width).permute(0, 5, 3, 1, 4, 2)
    return x.reshape(batch, width, rows * patch, columns * patch)[:, :, :height, :breadth]


def padding_mask(height: int, breadth: int, patch: int, device: torch.device) -> Tensor | None:
    """Which tokens of `unfold` are pixels and not padding: bool [G, 1, 1, N]; None where all are."""
    if height % patch == 0 and breadth % patch == 0:
        return None
    inside = unfold(torch.ones(1, 1, height, breadth, device=device), patch)  # [1, G, N, 1]
    return (inside[0, :, :, 0] > 0)[:, None, None]


def _random(shape: tuple[int, ...], *, fan_in: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape) * (2 / fan_in) ** 0.5)
