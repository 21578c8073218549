"""Layers in Flax NNX that may be given less than their full width.

A layer uses the leading part of its weights that the input's channels, and the `width` asked of it, need:
a subnet's weights are the leading parts of the supernet's. Parameters are float32; they are cast to the
type of the input in use.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet import ops
from supernet.ops import Train


class Initializer:
    """Random weights drawn by NumPy: no compilation for every shape of array."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng

    def normal(self, shape: tuple[int, ...], *, fan_in: int, gain: float) -> np.ndarray:
        """float32 of variance gain / fan_in (arXiv 1502.01852, equation 10, with gain 2)."""
        return (self._rng.standard_normal(shape) * (gain / fan_in) ** 0.5).astype(np.float32)


class Conv(nnx.Module):
    """Full convolution, kernel [K, K, in, out], padding K // 2."""

    def __init__(
        self, in_width: int, width: int, kernel: int, stride: int, init: Initializer, *, bias: bool = False
    ):
        shape = (kernel, kernel, in_width, width)
        self.kernel = nnx.Param(init.normal(shape, fan_in=kernel**2 * in_width, gain=2.0))
        self.bias = nnx.Param(np.zeros(width, np.float32)) if bias else None
        self.stride = stride

    def __call__(self, x: jax.Array, width: int | None = None) -> jax.Array:
        """[B, H, W, in] -> [B, ceil(H / stride), ceil(W / stride), width]."""
        y = ops.full_conv(x, self.kernel[...][:, :, : x.shape[-1], :width], self.stride)
        return y if self.bias is None else y + self.bias[...][:width].astype(y.dtype)


class PatchConv(nnx.Module):
    """Biased convolution whose kernel [P, P, in, out] is its stride, unpadded: ViT's patches."""

    def __init__(self, in_width: int, width: int, patch: int, init: Initializer):
        shape = (patch, patch, in_width, width)
        self.kernel = nnx.Param(init.normal(shape, fan_in=patch**2 * in_width, gain=1.0))
        self.bias = nnx.Param(np.zeros(width, np.float32))

    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, H, W, in] -> [B, H / P, W / P, width]; P divides H and W."""
        kernel = self.kernel[...]
        patch, _, in_width, width = kernel.shape
        batch, rows, columns = x.shape[0], x.shape[1] // patch, x.shape[2] // patch
        patches = x.reshape(batch, rows, patch, columns, patch, in_width).transpose(0, 1, 3, 2, 4, 5)
        y = ops.pointwise(patches.reshape(batch, rows, columns, -1), kernel.reshape(-1, width))
        return y + self.bias[...].astype(y.dtype)


class PairConv(nnx.Module):
    """3x3 convolution over two maps side by side, kernel [K, K, 2, in, out]: MobileViT's fusion."""

    def __init__(self, in_width: int, width: int, kernel: int, init: Initializer):
        shape = (kernel, kernel, 2, in_width, width)
        self.kernel = nnx.Param(init.normal(shape, fan_in=2 * kernel**2 * in_width, gain=2.0))

    def __call__(self, first: jax.Array, second: jax.Array, width: int | None = None) -> jax.Array:
        """[B, H, W, in] twice -> [B, H, W, width]."""
        kernel = self.kernel[...][:, :, :, : first.shape[-1], :width]
        side, _, _, in_width, out_width = kernel.shape
        kernel = kernel.reshape(side, side, 2 * in_width, out_width)
        return ops.full_conv(jnp.concatenate([first, second], -1), kernel, 1)


class Depthwise(nnx.Module):
    """Depthwise convolution, kernel [K, K, C], padding K // 2."""

    def __init__(self, width: int, kernel: int, stride: int, init: Initializer, *, bias: bool = False):
        self.kernel = nnx.Param(init.normal((kernel, kernel, width), fan_in=kernel**2, gain=2.0))
        self.bias = nnx.Param(np.zeros(width, np.float32)) if bias else None
        self.stride = stride

    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, ceil(H / stride), ceil(W / stride), C]."""
        y = ops.depthwise_conv(x, self.kernel[...], self.stride)
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


class Linear(nnx.Module):
    """Matrix product over the last axis, kernel [in, out]: linear layers and 1x1 convolutions."""

    def __init__(
        self, in_width: int, width: int, init: Initializer, *, bias: bool = False, gain: float = 2.0
    ):
        self.kernel = nnx.Param(init.normal((in_width, width), fan_in=in_width, gain=gain))
        self.bias = nnx.Param(np.zeros(width, np.float32)) if bias else None

    def __call__(self, x: jax.Array, width: int | None = None) -> jax.Array:
        """[..., in] -> [..., width]."""
        y = ops.pointwise(x, self.kernel[...][: x.shape[-1], :width])
        return y if self.bias is None else y + self.bias[...][:width].astype(y.dtype)


class QKV(nnx.Module):
    """Queries, keys and values in one product, kernel [D, 3, D], bias [3, D]."""

    def __init__(self, width: int, init: Initializer):
        self.kernel = nnx.Param(init.normal((width, 3, width), fan_in=width, gain=1.0))
        self.bias = nnx.Param(np.zeros((3, width), np.float32))

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """[..., D] -> three times [..., D]."""
        width = x.shape[-1]
        kernel, bias = self.kernel[...][:width, :, :width], self.bias[...][:, :width]
        y = ops.pointwise(x, kernel.reshape(width, -1)).reshape(*x.shape[:-1], 3, width)
        y = y + bias.astype(x.dtype)
        return y[..., 0, :], y[..., 1, :], y[..., 2, :]


class BatchNorm(nnx.Module):
    """BatchNorm over all axes but the last.

    In training it normalises by the batch and WRITES the batch's mean and variance into `mean` and `var`;
    averaging them over batches is the caller's (`calibration`). Otherwise it normalises by what is there.
    """

    def __init__(self, width: int):
        self.scale = nnx.Param(np.ones(width, np.float32))
        self.bias = nnx.Param(np.zeros(width, np.float32))
        self.mean = nnx.BatchStat(np.zeros(width, np.float32))
        self.var = nnx.BatchStat(np.ones(width, np.float32))

    def __call__(self, x: jax.Array, activation: str = "none", *, train: Train) -> jax.Array:
        """[..., C] -> [..., C], with the activation of a `NetworkSpec` by its name."""
        width = x.shape[-1]
        arrays = [a[...][:width] for a in (self.scale, self.bias, self.mean, self.var)]
        y, mean, var = ops.batch_norm(x, *arrays, activation=activation, train=train)
        if train is not False:
            self.mean[...] = ops.resize_channels(mean, len(self.mean[...]))
            self.var[...] = ops.resize_channels(var, len(self.var[...]))
        return y


class LayerNorm(nnx.Module):
    """LayerNorm over the active channels: mean and variance divide by the ACTIVE count."""

    def __init__(self, width: int):
        self.scale = nnx.Param(np.ones(width, np.float32))
        self.bias = nnx.Param(np.zeros(width, np.float32))

    def __call__(self, x: jax.Array, active: jax.Array | None = None) -> jax.Array:
        """[..., C], inactive channels 0, to the same."""
        wide = x.astype(jnp.float32)
        count = x.shape[-1] if active is None else active
        mean = jnp.sum(wide, -1, keepdims=True) / count
        centred = ops.mask_channels(wide - mean, active)
        var = jnp.sum(jnp.square(centred), -1, keepdims=True) / count
        scale, bias = (a[...][: x.shape[-1]] for a in (self.scale, self.bias))
        y = centred * jax.lax.rsqrt(var + ops.EPSILON) * scale + bias
        return ops.mask_channels(y, active).astype(x.dtype)
