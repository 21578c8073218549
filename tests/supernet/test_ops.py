"""Primitives against XLA's own, NumPy, or values by hand."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, ndtr

from supernet import ops


def normal(*shape: int, seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def lax_depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    pad = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        [(pad, pad)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


@pytest.mark.parametrize(
    ("side", "stride", "channels"), [(3, 1, 40), (5, 1, 3), (7, 1, 3), (3, 2, 3), (5, 2, 3), (7, 2, 3)]
)
def test_depthwise_conv_and_its_gradients(side: int, stride: int, channels: int) -> None:
    """The gradient of the kernel takes 32 channels at a time."""
    x, kernel = normal(2, 7, 6, channels), normal(side, side, channels, seed=1)
    weights = normal(2, -(-7 // stride), -(-6 // stride), channels, seed=2)

    def run(conv: Callable[..., jax.Array]) -> tuple[jax.Array, ...]:
        def loss(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
            y = conv(x, kernel, stride)
            return jnp.sum(y * weights), y

        (_, y), gradients = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(x, kernel)
        return y, *gradients

    for ours, expected in zip(run(ops.depthwise_conv), run(lax_depthwise), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5 * float(jnp.abs(expected).max()))


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_conv_of_accelerators(stride: int) -> None:
    x, kernel = normal(2, 7, 6, 3), normal(5, 5, 3, seed=1)
    expected = ops.depthwise_conv(x, kernel, stride)
    np.testing.assert_allclose(ops.lax_depthwise(x, kernel, stride), expected, atol=1e-5)


def test_depthwise_conv_keeps_half_precision() -> None:
    x, kernel = normal(1, 5, 5, 2).astype(jnp.bfloat16), normal(3, 3, 2)

    def loss(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = ops.depthwise_conv(x, kernel, 1)
        return jnp.sum(y.astype(jnp.float32)), y

    (dx, dk), y = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(x, kernel)
    assert (y.dtype, dx.dtype, dk.dtype) == (jnp.bfloat16, jnp.bfloat16, jnp.float32)


def test_mask_channels() -> None:
    x = jnp.arange(6.0).reshape(2, 3)
    assert ops.mask_channels(x, jnp.int32(2)).tolist() == [[0, 1, 0], [3, 4, 0]]
    assert ops.mask_channels(x, None) is x


def test_resize_channels() -> None:
    x = jnp.ones((2, 3))
    assert ops.resize_channels(x, 5).tolist() == [[1, 1, 1, 0, 0]] * 2
    assert ops.resize_channels(x, 2).shape == (2, 2)


def test_mask_kernel_keeps_the_centre() -> None:
    kernel = jnp.ones((5, 5, 2))
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = 1
    np.testing.assert_array_equal(ops.mask_kernel(kernel, jnp.int32(3))[..., 0], expected)
    np.testing.assert_array_equal(ops.mask_kernel(kernel, jnp.int32(5)), kernel)
    np.testing.assert_array_equal(ops.mask_kernel(kernel, jnp.int32(1)).sum((0, 1)), [1, 1])


def test_unfold_by_hand() -> None:
    x = jnp.arange(16).reshape(1, 4, 4, 1)
    groups = ops.unfold(x, 2)[0, :, :, 0]
    # Pixels of one group share their place in their 2x2 patch.
    assert groups.tolist() == [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]]


@pytest.mark.parametrize("patch", [1, 2, 3, 7])
@pytest.mark.parametrize("height_width", [(5, 5), (4, 6)])
def test_fold_is_the_inverse(patch: int, height_width: tuple[int, int]) -> None:
    x = normal(2, *height_width, 3)
    tokens = ops.unfold(x, patch)
    rows, columns = (-(-n // patch) for n in height_width)
    assert tokens.shape == (2, patch**2, rows * columns, 3)
    np.testing.assert_array_equal(ops.fold(tokens, patch, *height_width), x)


def test_attention_mask_by_hand() -> None:
    assert ops.attention_mask(4, 4, 2, None) is None
    # A map of 3x3 in patches of 2: 2x2 patches, of which only the top left is whole.
    mask = np.asarray(ops.attention_mask(3, 3, 2, None))
    assert mask.shape == (4, 4, 4)
    assert mask[:, 0].tolist() == [
        [True, True, True, True],  # top left pixels: in all four patches
        [True, False, True, False],  # top right: the map ends before the second column's
        [True, True, False, False],
        [True, False, False, False],
    ]


def test_attention_mask_of_a_map_that_is_not_square() -> None:
    # A map of 2x3 in patches of 2: the right pixels of the second patch are padding.
    mask = np.asarray(ops.attention_mask(2, 3, 2, None))
    assert mask[:, 0].tolist() == [[True, True], [True, False]] * 2
    # Of 3x2: the lower ones are.
    mask = np.asarray(ops.attention_mask(3, 2, 2, None))
    assert mask[:, 0].tolist() == [[True, True]] * 2 + [[True, False]] * 2


def test_traced_patch_of_several_units() -> None:
    """A map of 8x8 in units of 2, patches of 4: every other token of a row, and of a column."""
    mask = np.asarray(ops.attention_mask(8, 8, 2, jnp.int32(4)))
    place = np.arange(16)
    row, column = place // 4 % 2, place % 4 % 2
    expected = (row[:, None] == row) & (column[:, None] == column)
    np.testing.assert_array_equal(mask, np.broadcast_to(expected, (4, 16, 16)))


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize("side", [4, 5, 7])
def test_traced_patch_sees_the_same_pixels(side: int, patch: int) -> None:
    """Which pixel sees which, in the units of 1 with a traced patch as in the patches themselves."""
    mask = np.asarray(ops.attention_mask(side, side, 1, jnp.int32(patch)))[0]
    place = np.arange(side * side)
    row, column = place // side % patch, place % side % patch
    np.testing.assert_array_equal(mask, (row[:, None] == row) & (column[:, None] == column))


def numpy_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, heads: int) -> np.ndarray:
    out = np.zeros_like(v)
    for head in range(heads):
        own = slice(head, None, heads)
        scores = q[..., own] @ np.swapaxes(k[..., own], -1, -2) / np.sqrt(q.shape[-1] / heads)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        out[..., own] = weights / weights.sum(-1, keepdims=True) @ v[..., own]
    return out


def test_interleaved_attention_for_every_number_of_heads() -> None:
    q, k, v = (normal(2, 3, 5, 8, seed=seed) for seed in range(3))

    @jax.jit
    def attend(heads: jax.Array, embed: jax.Array) -> jax.Array:
        narrow = [ops.mask_channels(a, embed) for a in (q, k, v)]
        return ops.interleaved_attention(*narrow, max_heads=4, heads=heads, embed=embed, mask=None)

    for embed in (4, 8):
        cut = [np.asarray(a[..., :embed]) for a in (q, k, v)]
        for heads in (1, 2, 4):
            out = attend(jnp.int32(heads), jnp.int32(embed))
            np.testing.assert_allclose(out[..., :embed], numpy_attention(*cut, heads), atol=1e-5)
            assert not out[..., embed:].any()
    static = ops.interleaved_attention(q, k, v, max_heads=2, heads=None, embed=8, mask=None)
    np.testing.assert_allclose(static, numpy_attention(*map(np.asarray, (q, k, v)), 2), atol=1e-5)


def test_masked_keys_have_no_influence() -> None:
    q, k, v = (normal(1, 1, 3, 2, seed=seed) for seed in range(3))
    mask = jnp.array([[[True, True, False]] * 3])
    attend = jax.jit(
        lambda k, v: ops.interleaved_attention(q, k, v, max_heads=1, heads=None, embed=2, mask=mask)
    )
    other = attend(k.at[0, 0, 2].set(9.0), v.at[0, 0, 2].set(9.0))
    np.testing.assert_array_equal(attend(k, v), other)


def test_activations_by_formula() -> None:
    x = np.linspace(-8, 8, 65, dtype=np.float32)
    expected = {
        "relu": np.maximum(x, 0),
        "relu6": np.clip(x, 0, 6),
        "silu": x * expit(x),
        "hardswish": x * np.clip(x + 3, 0, 6) / 6,
        "gelu": x * ndtr(x),
        "none": x,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(ops.activate(jnp.asarray(x), name), values, atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "spread"), [("none", 3.0), ("none", 3e-3), ("silu", 3.0), ("hardswish", 3.0)]
)
def test_batch_norm_has_the_automatic_gradient(activation: str, spread: float) -> None:
    """And its output is normalised by the batch. Where values hardly differ, epsilon counts."""
    x, scale, bias, weights = (
        normal(*s, seed=n) for n, s in enumerate([(4, 3, 5, 2), (2,), (2,), (4, 3, 5, 2)])
    )
    x = spread * (x + 1 / 3)

    def plainly(x: jax.Array, scale: jax.Array, bias: jax.Array) -> jax.Array:
        centred = x - jnp.mean(x, (0, 1, 2))
        normed = centred / jnp.sqrt(jnp.mean(centred**2, (0, 1, 2)) + ops.EPSILON)
        return ops.activate(normed * scale + bias, activation)

    def ours(x: jax.Array, scale: jax.Array, bias: jax.Array) -> jax.Array:
        return ops.batch_norm(x, scale, bias, bias, scale, activation=activation, train=True)[0]

    def run(norm: Callable[..., jax.Array]) -> tuple[jax.Array, ...]:
        y, pull = jax.vjp(norm, x, scale, bias)
        return y, *pull(weights)

    for actual, expected in zip(jax.jit(run, static_argnums=0)(ours), run(plainly), strict=True):
        np.testing.assert_allclose(actual, expected, atol=2e-5 * float(jnp.abs(expected).max()))


def test_statistics_of_the_batch_carry_no_gradient() -> None:
    x, ones = normal(4, 3), jnp.ones(3)

    def moments(x: jax.Array) -> jax.Array:
        _, mean, var = ops.batch_norm(x, ones, ones, ones, ones, train=True)
        return jnp.sum(mean) + jnp.sum(var)

    assert not jax.grad(moments)(x).any()


def test_batch_norm_again_is_that_of_the_batch() -> None:
    """With the moments that the first call gave back: the same output, and the gradient through them too."""
    x, scale, bias = normal(4, 3, 5, 2), normal(2, seed=1), normal(2, seed=2)
    y, mean, var = ops.batch_norm(x, scale, bias, bias, scale, activation="silu", train=True)

    def gradient(moments: tuple[jax.Array, jax.Array], train: ops.Train) -> Any:
        return jax.grad(
            lambda x: jnp.sum(
                jnp.sin(ops.batch_norm(x, scale, bias, *moments, activation="silu", train=train)[0])
            )
        )(x)

    again = ops.batch_norm(x, scale, bias, mean, var, activation="silu", train=ops.AGAIN)
    np.testing.assert_array_equal(again[0], y)
    np.testing.assert_allclose(
        gradient((mean, var), ops.AGAIN), gradient((bias, scale), True), rtol=1e-6, atol=1e-7
    )


def test_batch_norm_of_both_kinds_in_one_program() -> None:
    x, mean, var = normal(6, 2), jnp.array([1.0, 2.0]), jnp.array([0.5, 4.0])
    both = jax.jit(lambda train: ops.batch_norm(x, mean, var, mean, var, train=train))
    for train in (True, False):
        expected = ops.batch_norm(x, mean, var, mean, var, train=train)
        for ours, theirs in zip(both(train), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(both(False)[0], (x - mean) / np.sqrt(var + 1e-5) * mean + var, atol=1e-5)


@pytest.mark.parametrize(
    ("side", "stride", "channels"), [(1, 1, 8), (3, 1, 8), (3, 2, 8), (5, 2, 8), (3, 1, 2)]
)
def test_full_conv(side: int, stride: int, channels: int) -> None:
    """Against XLA's, with its gradients: on a CPU it is a product of matrices from 8 channels on."""
    x, kernel = normal(2, 7, 6, channels), normal(side, side, channels, 3, seed=1)

    def lax_conv(x: jax.Array, kernel: jax.Array) -> jax.Array:
        pad = [(side // 2, side // 2)] * 2
        return jax.lax.conv_general_dilated(
            x, kernel, (stride, stride), pad, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    expected, pull = jax.vjp(lax_conv, x, kernel)
    y, ours = jax.vjp(lambda x, kernel: ops.full_conv(x, kernel, stride), x, kernel)
    np.testing.assert_allclose(y, expected, atol=1e-4)
    for actual, wanted in zip(ours(expected), pull(expected), strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-5 * float(jnp.abs(wanted).max()))


def test_kernel_centre() -> None:
    kernel = jnp.arange(25.0).reshape(5, 5, 1)
    assert ops.kernel_centre(kernel, 3)[..., 0].tolist() == [[6, 7, 8], [11, 12, 13], [16, 17, 18]]
    np.testing.assert_array_equal(ops.kernel_centre(kernel, 5), kernel)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_masked_kernel_is_the_smaller_one(stride: int) -> None:
    x, kernel = normal(1, 6, 5, 3), normal(5, 5, 3, seed=1)
    masked = ops.depthwise_conv(x, ops.mask_kernel(kernel, jnp.int32(3)), stride)
    np.testing.assert_allclose(masked, ops.depthwise_conv(x, ops.kernel_centre(kernel, 3), stride), atol=1e-6)
