"""Array primitives that a traced architecture can narrow: masks, depthwise convolution, patches.

Letters: B batch, H W map, C channels, K kernel side, G groups, N tokens, D embedding.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp

AGAIN: Literal["again"] = "again"
# A traced one where one program serves both; AGAIN where a backward pass computes the forward one anew.
Train = bool | jax.Array | Literal["again"]
EPSILON = 1e-5  # of norms
MASKED = -1e9  # a logit that softmax turns into exactly 0, and whose gradient stays finite


def mask_channels(x: jax.Array, active: jax.Array | None) -> jax.Array:
    """`x` [..., C] with the channels from `active` on set to 0; unchanged for None."""
    if active is None:
        return x
    return jnp.where(jnp.arange(x.shape[-1]) < active, x, 0)


def resize_channels(x: jax.Array, channels: int) -> jax.Array:
    """`x` [..., C] cut or zero-padded to `channels`."""
    missing = channels - x.shape[-1]
    if missing <= 0:
        return x[..., :channels]
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)])


def enlarge(x: jax.Array, height: int, width: int) -> jax.Array:
    """`x` [B, H, W, C] twice as large by repeating each pixel, cut to [B, height, width, C]."""
    batch, rows, columns, channels = x.shape
    x = jnp.broadcast_to(x[:, :, None, :, None], (batch, rows, 2, columns, 2, channels))
    return x.reshape(batch, 2 * rows, 2 * columns, channels)[:, :height, :width]


def mask_kernel(kernel: jax.Array, active: jax.Array | None) -> jax.Array:
    """Depthwise `kernel` [K, K, C] with all but its central `active` x `active` weights set to 0."""
    if active is None:
        return kernel
    side = kernel.shape[0]
    near = jnp.abs(jnp.arange(side) - side // 2) <= active // 2
    return jnp.where(near[:, None, None] & near[None, :, None], kernel, 0)


def kernel_centre(kernel: jax.Array, side: int) -> jax.Array:
    """The central `side` x `side` weights of `kernel` [K, K, C]."""
    start = (kernel.shape[0] - side) // 2
    return kernel[start : start + side, start : start + side]


def depthwise_conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Depthwise convolution of `x` [B, H, W, C] with `kernel` [K, K, C], padding K // 2 on all sides.

    On CPU a sum over shifted slices with its own gradient (XLA's grouped convolution is 15-25x slower
    there, its gradient more); elsewhere XLA's own. Result [B, ceil(H / stride), ceil(W / stride), C].
    """
    conv = _shifted_depthwise if jax.default_backend() == "cpu" else lax_depthwise
    return conv(x, kernel, stride)


def lax_depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """`depthwise_conv` as XLA has it."""
    pad = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None, :].astype(x.dtype),
        (stride, stride),
        [(pad, pad), (pad, pad)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def pointwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """[..., in] with `kernel` [in, out]: [..., out]; all other axes are one of a matrix product.

    The gradient with respect to the kernel of a product over several axes takes XLA 4 times as long on CPU.
    """
    y = x.reshape(-1, x.shape[-1]) @ kernel.astype(x.dtype)
    return y.reshape(*x.shape[:-1], kernel.shape[-1])


def full_conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Convolution of `x` [B, H, W, in] with `kernel` [K, K, in, out], padding K // 2 on all sides.

    On CPU one matrix product with the K * K shifted maps side by side, where there are enough channels for
    it: XLA's own is as fast by itself, but its gradients inside a conditional or a loop take 10 times as
    long. Elsewhere XLA's own.
    """
    side = kernel.shape[0]
    if jax.default_backend() == "cpu" and x.shape[-1] >= 8:
        out_hw = (-(-x.shape[1] // stride), -(-x.shape[2] // stride))
        padded = _pad_map(x, side // 2)
        windows = [_window(padded, i, j, out_hw, stride) for i in range(side) for j in range(side)]
        return pointwise(jnp.concatenate(windows, -1), kernel.reshape(-1, kernel.shape[-1]))
    pad = side // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel.astype(x.dtype),
        (stride, stride),
        [(pad, pad), (pad, pad)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _pad_map(x: jax.Array, pad: int) -> jax.Array:
    return jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))


def _window(padded: jax.Array, row: int, column: int, out_hw: tuple[int, int], stride: int) -> jax.Array:
    """What kernel position (row, column) sees: [B, *out_hw, C]."""
    height, width = (stride * (n - 1) + 1 for n in out_hw)
    return padded[:, row : row + height : stride, column : column + width : stride]


def _shifted_sum(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    side = kernel.shape[0]
    out_hw = (-(-x.shape[1] // stride), -(-x.shape[2] // stride))
    padded = _pad_map(x, side // 2)
    terms = (
        _window(padded, i, j, out_hw, stride) * kernel[i, j].astype(x.dtype)
        for i in range(side)
        for j in range(side)
    )
    return functools.reduce(jnp.add, terms)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _shifted_depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    return _shifted_sum(x, kernel, stride)


def _shifted_forward(x: jax.Array, kernel: jax.Array, stride: int) -> tuple[jax.Array, tuple]:
    return _shifted_sum(x, kernel, stride), (x, kernel)


def _shifted_backward(stride: int, saved: tuple, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    side = kernel.shape[0]
    spread = dy
    if stride > 1:  # dy at the places of x that it came from, 0 between
        spread = jnp.zeros((dy.shape[0], *x.shape[1:3], dy.shape[3]), dy.dtype)
        spread = spread.at[:, ::stride, ::stride].set(dy)
    dx = _shifted_sum(spread, kernel[::-1, ::-1], 1)

    padded = _pad_map(x, side // 2)
    dk = [  # more channels at once would leave the cache: 2.5 times as long with 64
        _kernel_gradient(padded[..., c : c + 32], dy[..., c : c + 32], side, stride)
        for c in range(0, x.shape[-1], 32)
    ]
    return dx, jnp.concatenate(dk, -1).reshape(kernel.shape).astype(kernel.dtype)


def _kernel_gradient(padded: jax.Array, dy: jax.Array, side: int, stride: int) -> jax.Array:
    """float32 [K * K, C]: all positions are summed up in one pass over the maps.

    By image first: one long sum over all would be ten times less exact.
    """
    terms = tuple(
        (_window(padded, i, j, (dy.shape[1], dy.shape[2]), stride) * dy).astype(jnp.float32)
        for i in range(side)
        for j in range(side)
    )

    def add(one: Sequence[jax.Array], other: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
        return tuple(a + b for a, b in zip(one, other, strict=True))

    by_image = jax.lax.reduce(terms, (jnp.float32(0),) * len(terms), add, (1, 2))
    return jnp.sum(jnp.stack(by_image), 1)


_shifted_depthwise.defvjp(_shifted_forward, _shifted_backward)


def activate(x: jax.Array, name: str) -> jax.Array:
    """The activation of a `NetworkSpec`, by its name."""
    return _ACTIVATIONS[name](x)


_ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "silu": jax.nn.silu,
    "hardswish": jax.nn.hard_swish,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "none": lambda x: x,
}


def batch_norm(
    x: jax.Array,
    scale: jax.Array,
    bias: jax.Array,
    mean: jax.Array,
    var: jax.Array,
    *,
    activation: str = "none",
    train: Train,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """`x` [..., C] normalised and activated; and the mean and variance float32 [C] that it was done with.

    They are the batch's own with `train` (no gradient flows out of them), else those given. "again": those
    given are the batch's own, as an earlier call gave them back.
    """
    if train is True:
        mean, var = _moments(jax.lax.stop_gradient(x))
    if train is True or train is AGAIN:
        return _batch_norm(x, scale, bias, mean, var, activation), mean, var
    if train is not False:
        mean, var = jax.lax.cond(train, _moments, lambda _: (mean, var), x)
    return activate(_scaled(x, scale, bias, mean, var), activation), mean, var


def _scaled(x: jax.Array, scale: jax.Array, bias: jax.Array, mean: jax.Array, var: jax.Array) -> jax.Array:
    factor = scale * jax.lax.rsqrt(var + EPSILON)
    return x * factor.astype(x.dtype) + (bias - mean * factor).astype(x.dtype)


def _moments(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and variance float32 [C] of `x` [..., C]."""
    axes, wide = tuple(range(x.ndim - 1)), x.astype(jnp.float32)
    mean = jnp.mean(wide, axes)
    return mean, jnp.mean(jnp.square(wide - mean), axes)


# Its own gradient keeps `x` alone, and compiles in half the time of the automatic one.
@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def _batch_norm(
    x: jax.Array, scale: jax.Array, bias: jax.Array, mean: jax.Array, var: jax.Array, activation: str
) -> jax.Array:
    """By the batch's own moments, which are given; the gradient is that of `x` through them too."""
    return activate(_scaled(x, scale, bias, mean, var), activation)


def _batch_norm_forward(*inputs: Any) -> tuple[jax.Array, Any]:
    return _batch_norm(*inputs), inputs[:5]


def _batch_norm_backward(activation: str, saved: Any, dy: jax.Array) -> tuple[jax.Array | None, ...]:
    """Batch normalisation's gradient (arXiv 1502.03167, section 3) behind that of the activation."""
    x, scale, bias, mean, var = saved
    normed = _scaled(x, scale, bias, mean, var)
    dz = jax.vjp(lambda z: activate(z, activation), normed)[1](dy)[0]
    dz = jax.lax.optimization_barrier(dz)  # used three times: computed once
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    d_bias = jnp.sum(dz, axes, dtype=jnp.float32)
    inverse = jax.lax.rsqrt(var + EPSILON)
    d_scale = (jnp.sum(dz * x, axes, dtype=jnp.float32) - mean * d_bias) * inverse
    factor = scale * inverse
    of_x = factor * inverse * d_scale / count
    shift = mean * of_x - factor * d_bias / count
    dx = dz * factor.astype(x.dtype) - x * of_x.astype(x.dtype) + shift.astype(x.dtype)
    return dx, d_scale, d_bias, None, None


_batch_norm.defvjp(_batch_norm_forward, _batch_norm_backward)


def unfold(x: jax.Array, patch: int) -> jax.Array:
    """Groups of the pixels that share a place in their patch: [B, H, W, C] -> [B, G, N, C].

    G = patch * patch; the map is zero-padded up to a multiple of `patch` (MobileViT, section 3.1).
    """
    batch, height, width, channels = x.shape
    rows, columns = -(-height // patch), -(-width // patch)
    x = jnp.pad(x, ((0, 0), (0, rows * patch - height), (0, columns * patch - width), (0, 0)))
    x = x.reshape(batch, rows, patch, columns, patch, channels).transpose(0, 2, 4, 1, 3, 5)
    return x.reshape(batch, patch * patch, rows * columns, channels)


def fold(tokens: jax.Array, patch: int, height: int, width: int) -> jax.Array:
    """The inverse of `unfold`: [B, G, N, C] -> [B, height, width, C]."""
    batch, _, _, channels = tokens.shape
    rows, columns = -(-height // patch), -(-width // patch)
    x = tokens.reshape(batch, patch, patch, rows, columns, channels).transpose(0, 3, 1, 4, 2, 5)
    return x.reshape(batch, rows * patch, columns * patch, channels)[:, :height, :width]


def attention_mask(height: int, width: int, unit: int, patch: jax.Array | None) -> jax.Array | None:
    """Which tokens of `unfold(x, unit)` may attend to which: bool [G, N, N], None for all to all.

    Padding is no key. With a traced `patch`, a multiple of `unit`, only the pixels that share a place in
    a patch of that side see one another, so the result equals `unfold(x, patch)`'s.
    """
    rows, columns = -(-height // unit), -(-width // unit)
    if patch is None and rows * unit == height and columns * unit == width:
        return None
    row, column = jnp.divmod(jnp.arange(rows * columns), columns)
    offset_row, offset_column = jnp.divmod(jnp.arange(unit * unit), unit)
    inside = (row * unit + offset_row[:, None] < height) & (column * unit + offset_column[:, None] < width)
    allowed = jnp.broadcast_to(inside[:, None, :], (unit * unit, rows * columns, rows * columns))
    if patch is not None:
        step = patch // unit
        same = (row[:, None] - row) % step == 0
        allowed = allowed & same & ((column[:, None] - column) % step == 0)
    return allowed


def interleaved_attention(
    q: jax.Array, k: jax.Array, v: jax.Array, *, max_heads: int, heads: jax.Array | None,
    embed: jax.Array | int, mask: jax.Array | None
) -> jax.Array:  # fmt: skip
    """Multi-head attention over tokens [B, G, N, D]; head h of H holds the channels c with c mod H = h.

    `heads` (traced, a divisor of `max_heads`; None: max_heads) works by adding up the scores of the finest
    heads that belong together, so one program serves every number of heads. `embed` is the active D.
    """
    batch, groups, tokens, width = q.shape

    def split(x: jax.Array) -> jax.Array:
        return x.reshape(batch, groups, tokens, width // max_heads, max_heads)

    scores = jnp.einsum("bgncj,bgmcj->bgjnm", split(q), split(k), preferred_element_type=jnp.float32)
    used = max_heads if heads is None else heads
    if heads is not None:
        finest = jnp.arange(max_heads) % heads
        scores = jnp.einsum("bgjnm,jk->bgknm", scores, (finest[:, None] == finest).astype(scores.dtype))
    scores = scores * jax.lax.rsqrt(jnp.asarray(embed / used, scores.dtype))
    if mask is not None:
        scores = jnp.where(mask[:, None], scores, MASKED)
    weights = jax.nn.softmax(scores, axis=-1).astype(v.dtype)
    return jnp.einsum("bgjnm,bgmcj->bgncj", weights, split(v)).reshape(q.shape)
