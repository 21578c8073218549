"""Layers in Flax NNX whose width a traced number can narrow.

Every layer takes `active`-like arguments: None means full width (a stand-alone network), a traced int32
means that the first so many channels count. Active channels are always the leading ones, so that slicing
a layer is cutting its arrays. Parameters are float32; they are cast to the type of the input in use.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet import ops

EPSILON = 1e-5


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
        self.bias = nnx.Param(jnp.zeros(width)) if bias else None
        self.stride = stride

    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, H, W, in] -> [B, ceil(H / stride), ceil(W / stride), out]."""
        y = full_conv(x, self.kernel[...], self.stride)
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


class PairConv(nnx.Module):
    """3x3 convolution over two maps side by side, kernel [K, K, 2, in, out]: MobileViT's fusion."""

    def __init__(self, in_width: int, width: int, kernel: int, init: Initializer):
        shape = (kernel, kernel, 2, in_width, width)
        self.kernel = nnx.Param(init.normal(shape, fan_in=2 * kernel**2 * in_width, gain=2.0))

    def __call__(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """[B, H, W, in] twice -> [B, H, W, out]."""
        kernel = self.kernel[...]
        side, _, _, in_width, width = kernel.shape
        kernel = kernel.reshape(side, side, 2 * in_width, width)
        return full_conv(jnp.concatenate([first, second], -1), kernel, 1)


class Depthwise(nnx.Module):
    """Depthwise convolution, kernel [K, K, C], padding K // 2."""

    def __init__(self, width: int, kernel: int, stride: int, init: Initializer, *, bias: bool = False):
        self.kernel = nnx.Param(init.normal((kernel, kernel, width), fan_in=kernel**2, gain=2.0))
        self.bias = nnx.Param(jnp.zeros(width)) if bias else None
        self.stride = stride

    def __call__(self, x: jax.Array, kernel: jax.Array | None = None) -> jax.Array:
        """[B, H, W, C] -> [B, ceil(H / stride), ceil(W / stride), C] with the central `kernel` weights."""
        y = ops.depthwise_conv(x, ops.mask_kernel(self.kernel[...], kernel), self.stride)
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


class Linear(nnx.Module):
    """Matrix product over the last axis, kernel [in, out]: linear layers and 1x1 convolutions."""

    def __init__(
        self, in_width: int, width: int, init: Initializer, *, bias: bool = False, gain: float = 2.0
    ):
        self.kernel = nnx.Param(init.normal((in_width, width), fan_in=in_width, gain=gain))
        self.bias = nnx.Param(jnp.zeros(width)) if bias else None

    def __call__(self, x: jax.Array) -> jax.Array:
        """[..., in] -> [..., out]."""
        y = x @ self.kernel[...].astype(x.dtype)
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


class QKV(nnx.Module):
    """Queries, keys and values in one product, kernel [D, 3, D], bias [3, D]."""

    def __init__(self, width: int, init: Initializer):
        self.kernel = nnx.Param(init.normal((width, 3, width), fan_in=width, gain=1.0))
        self.bias = nnx.Param(jnp.zeros((3, width)))

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """[..., D] -> three times [..., D]."""
        y = jnp.tensordot(x, self.kernel[...].astype(x.dtype), 1) + self.bias[...].astype(x.dtype)
        return y[..., 0, :], y[..., 1, :], y[..., 2, :]


class BatchNorm(nnx.Module):
    """BatchNorm over all axes but the last.

    In training it normalises by the batch and WRITES the batch's mean and variance into `mean` and `var`;
    averaging them over batches is the caller's (`calibration`). Otherwise it normalises by what is there.
    """

    def __init__(self, width: int):
        self.scale = nnx.Param(jnp.ones(width))
        self.bias = nnx.Param(jnp.zeros(width))
        self.mean = nnx.BatchStat(jnp.zeros(width))
        self.var = nnx.BatchStat(jnp.ones(width))

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[..., C] -> [..., C]."""
        if train:
            axes = tuple(range(x.ndim - 1))
            wide = x.astype(jnp.float32)
            mean = jnp.mean(wide, axes)
            self.mean[...] = mean
            self.var[...] = jnp.mean(jnp.square(wide - mean), axes)
        factor = self.scale[...] * jax.lax.rsqrt(self.var[...] + EPSILON)
        shift = self.bias[...] - self.mean[...] * factor
        return x * factor.astype(x.dtype) + shift.astype(x.dtype)


class LayerNorm(nnx.Module):
    """LayerNorm over the active channels: mean and variance divide by the ACTIVE count."""

    def __init__(self, width: int):
        self.scale = nnx.Param(jnp.ones(width))
        self.bias = nnx.Param(jnp.zeros(width))

    def __call__(self, x: jax.Array, active: jax.Array | None = None) -> jax.Array:
        """[..., C], inactive channels 0, to the same."""
        wide = x.astype(jnp.float32)
        count = x.shape[-1] if active is None else active
        mean = jnp.sum(wide, -1, keepdims=True) / count
        centred = ops.mask_channels(wide - mean, active)
        var = jnp.sum(jnp.square(centred), -1, keepdims=True) / count
        y = centred * jax.lax.rsqrt(var + EPSILON) * self.scale[...] + self.bias[...]
        return ops.mask_channels(y, active).astype(x.dtype)


def full_conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Convolution [B, H, W, in] with kernel [K, K, in, out], padding K // 2 on all sides."""
    pad = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel.astype(x.dtype),
        (stride, stride),
        [(pad, pad), (pad, pad)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def activate(x: jax.Array, name: str) -> jax.Array:
    """The activation of a `NetworkSpec`, by its name."""
    return _ACTIVATIONS[name](x)


_ACTIVATIONS = {
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "silu": jax.nn.silu,
    "hardswish": jax.nn.hard_swish,
    "none": lambda x: x,
}
