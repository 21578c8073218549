"""Array primitives that a traced architecture can narrow: masks, depthwise convolution, patches.

Letters: B batch, H W map, C channels, K kernel side, G groups, N tokens, D embedding.
"""

import functools

import jax
import jax.numpy as jnp

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


def mask_kernel(kernel: jax.Array, active: jax.Array | None) -> jax.Array:
    """Depthwise `kernel` [K, K, C] with all but its central `active` x `active` weights set to 0."""
    if active is None:
        return kernel
    side = kernel.shape[0]
    near = jnp.abs(jnp.arange(side) - side // 2) <= active // 2
    return jnp.where(near[:, None, None] & near[None, :, None], kernel, 0)


def depthwise_conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Depthwise convolution of `x` [B, H, W, C] with `kernel` [K, K, C], padding K // 2 on all sides.

    On CPU a sum over shifted slices with its own gradient (XLA's grouped convolution is 15-25x slower
    there, its gradient more); elsewhere XLA's own. Result [B, ceil(H / stride), ceil(W / stride), C].
    """
    if jax.default_backend() == "cpu":
        return _shifted_depthwise(x, kernel, stride)
    pad = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None, :].astype(x.dtype),
        (stride, stride),
        [(pad, pad), (pad, pad)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
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
    out_hw = (dy.shape[1], dy.shape[2])
    spread = dy
    if stride > 1:  # dy at the places of x that it came from, 0 between
        spread = jnp.zeros((dy.shape[0], *x.shape[1:3], dy.shape[3]), dy.dtype)
        spread = spread.at[:, ::stride, ::stride].set(dy)
    dx = _shifted_sum(spread, kernel[::-1, ::-1], 1)

    def add_image(total: jax.Array, image: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        padded, d = image
        rows = [
            jnp.sum(_window(padded[None], i, j, out_hw, stride)[0] * d, (0, 1), dtype=jnp.float32)
            for i in range(side)
            for j in range(side)
        ]
        return total + jnp.stack(rows), None

    zero = jnp.zeros((side * side, x.shape[-1]), jnp.float32)
    total, _ = jax.lax.scan(add_image, zero, (_pad_map(x, side // 2), dy))
    return dx, total.reshape(kernel.shape).astype(kernel.dtype)


_shifted_depthwise.defvjp(_shifted_forward, _shifted_backward)


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
