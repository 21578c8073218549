"""Layers: what they compute, and masked == sliced."""

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from supernet import ops
from supernet.layers import (
    QKV,
    BatchNorm,
    Conv,
    Depthwise,
    Initializer,
    LayerNorm,
    Linear,
    PairConv,
    PatchConv,
)

EPSILON = 1e-5


def init() -> Initializer:
    return Initializer(np.random.default_rng(0))


def normal(*shape: int, seed: int = 1) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def numpy_conv(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    side, (height, width) = kernel.shape[0], x.shape[1:3]
    pad = side // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    full = sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(side) for j in range(side)
    )
    return np.asarray(full)[:, ::stride, ::stride]


def test_initializer_variance() -> None:
    weights = init().normal((100, 100), fan_in=50, gain=2.0)
    assert weights.dtype == np.float32
    assert weights.var() == pytest.approx(2 / 50, rel=0.05)
    np.testing.assert_array_equal(weights, init().normal((100, 100), fan_in=50, gain=2.0))


@pytest.mark.parametrize("patch", [2, 3])
def test_patch_conv(patch: int) -> None:
    layer = PatchConv(3, 4, patch, init())
    layer.bias[...] = jnp.arange(4.0)
    x = normal(2, 6, 12, 3)
    y, kernel = np.asarray(layer(x)), np.asarray(layer.kernel[...])
    assert y.shape == (2, 6 // patch, 12 // patch, 4)
    last = np.asarray(x)[:, -patch:, -patch:]
    expected = np.einsum("bijc,ijcd->bd", last, kernel) + np.arange(4)
    np.testing.assert_allclose(y[:, -1, -1], expected, atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 1)])
def test_conv(kernel: int, stride: int) -> None:
    layer = Conv(3, 4, kernel, stride, init(), bias=True)
    layer.bias[...] = jnp.arange(4.0)
    x = normal(2, 5, 4, 3)
    expected = numpy_conv(np.asarray(x), np.asarray(layer.kernel[...]), stride) + np.arange(4)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_conv_masked_is_sliced() -> None:
    layer, small = Conv(4, 6, 3, 1, init()), Conv(2, 3, 3, 1, init())
    small.kernel[...] = layer.kernel[...][:, :, :2, :3]
    x = ops.mask_channels(normal(1, 5, 5, 4), jnp.int32(2))
    np.testing.assert_allclose(layer(x)[..., :3], small(x[..., :2]), atol=1e-6)


def test_pair_conv_is_a_conv_over_both_maps() -> None:
    layer = PairConv(3, 2, 3, init())
    first, second = normal(1, 4, 5, 3), normal(1, 4, 5, 3, seed=2)
    kernel = np.asarray(layer.kernel[...])
    parts = (numpy_conv(np.asarray(m), kernel[:, :, i], 1) for i, m in enumerate((first, second)))
    np.testing.assert_allclose(layer(first, second), sum(parts), atol=1e-5)


NARROW = [  # a layer, inputs of 2 of its 4 channels, the width asked of it, and the arrays that it should use
    (Conv(4, 6, 3, 1, init(), bias=True), 1, 3, {"kernel": np.s_[:, :, :2, :3], "bias": np.s_[:3]}),
    (PairConv(4, 6, 3, init()), 2, 3, {"kernel": np.s_[:, :, :, :2, :3]}),
    (Linear(4, 6, init(), bias=True), 1, 3, {"kernel": np.s_[:2, :3], "bias": np.s_[:3]}),
    (QKV(4, init()), 1, None, {"kernel": np.s_[:2, :, :2], "bias": np.s_[:, :2]}),
    (LayerNorm(4), 1, None, {"scale": np.s_[:2], "bias": np.s_[:2]}),
]


@pytest.mark.parametrize(("layer", "inputs", "width", "used"), NARROW, ids=lambda value: type(value).__name__)
def test_uses_the_leading_part_of_its_weights(
    layer: Any, inputs: int, width: int | None, used: dict[str, Any]
) -> None:
    x = [normal(2, 5, 5, 2, seed=seed) for seed in range(inputs)]
    for name in used:
        array = getattr(layer, name)
        array[...] = normal(*array[...].shape, seed=9)
    small = copy.deepcopy(layer)
    for name, part in used.items():
        setattr(small, name, nnx.Param(getattr(layer, name)[...][part]))
    for actual, expected in zip(layer(*x, *[width] * (width is not None)), small(*x), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_batch_norm_of_fewer_channels() -> None:
    """Statistics of the channels that it was given, 0 for the others; none written in use."""
    layer, x = BatchNorm(4), normal(8, 2)
    np.testing.assert_allclose(layer(x, train=True), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), atol=1e-5)
    np.testing.assert_allclose(layer.mean[...], [*x.mean(0), 0, 0], atol=1e-6)
    layer(x[:, :1], train=False)
    np.testing.assert_allclose(layer.mean[...], [*x.mean(0), 0, 0], atol=1e-6)


def test_linear() -> None:
    layer = Linear(3, 2, init(), bias=True)
    layer.bias[...] = jnp.array([1.0, 2.0])
    x = normal(2, 4, 3)
    np.testing.assert_allclose(layer(x), np.asarray(x) @ np.asarray(layer.kernel[...]) + [1, 2], atol=1e-6)


def test_qkv_masked_is_sliced() -> None:
    layer, small = QKV(4, init()), QKV(2, init())
    layer.bias[...] = normal(3, 4)
    small.kernel[...], small.bias[...] = layer.kernel[...][:2, :, :2], layer.bias[...][:, :2]
    x = ops.mask_channels(normal(5, 4), jnp.int32(2))
    for wide, narrow in zip(layer(x), small(x[:, :2]), strict=True):
        np.testing.assert_allclose(wide[:, :2], narrow, atol=1e-6)


def test_batch_norm() -> None:
    layer = BatchNorm(3)
    layer.scale[...], layer.bias[...] = jnp.array([1.0, 2, 3]), jnp.array([0.0, 1, 2])
    x = normal(4, 3, 2, 3) * 2 + 5
    wide = np.asarray(x, np.float64)
    mean, var = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
    expected = (wide - mean) / np.sqrt(var + EPSILON) * [1, 2, 3] + [0, 1, 2]
    np.testing.assert_allclose(layer(x, train=True), expected, atol=1e-4)
    # The batch's own statistics are written down, and used from then on.
    np.testing.assert_allclose(layer.mean[...], mean, rtol=1e-5)
    np.testing.assert_allclose(layer.var[...], var, rtol=1e-4)
    other = normal(2, 3, 2, 3, seed=3)
    expected = (np.asarray(other) - mean) / np.sqrt(var + EPSILON) * [1, 2, 3] + [0, 1, 2]
    np.testing.assert_allclose(layer(other, train=False), expected, atol=1e-4)
    np.testing.assert_allclose(layer.mean[...], mean, rtol=1e-5)


def test_batch_norm_masked_is_sliced() -> None:
    layer, small = BatchNorm(4), BatchNorm(2)
    x = normal(3, 2, 2, 4)
    wide, narrow = layer(x, train=True), small(x[..., :2], train=True)
    np.testing.assert_allclose(wide[..., :2], narrow, atol=1e-6)
    np.testing.assert_allclose(layer.var[...][:2], small.var[...], atol=1e-6)


@pytest.mark.parametrize("active", [1, 3, 4])
def test_layer_norm_divides_by_the_active_count(active: int) -> None:
    layer = LayerNorm(4)
    layer.scale[...], layer.bias[...] = normal(4), normal(4, seed=2)
    x = ops.mask_channels(normal(3, 5, 4) + 2, jnp.int32(active))
    y = layer(x, jnp.int32(active))
    narrow = np.asarray(x, np.float64)[..., :active]
    centred = narrow - narrow.mean(-1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    expected = expected * np.asarray(layer.scale[...])[:active] + np.asarray(layer.bias[...])[:active]
    np.testing.assert_allclose(y[..., :active], expected, atol=1e-5)
    assert not y[..., active:].any()
    if active == 4:
        np.testing.assert_allclose(layer(x), y, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        Conv(4, 4, 3, 1, init(), bias=True),
        Depthwise(4, 3, 1, init(), bias=True),
        Linear(4, 4, init(), bias=True),
        QKV(4, init()),
        LayerNorm(4),
        PairConv(4, 4, 3, init()),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_computes_in_the_type_of_the_input(layer: nnx.Module) -> None:
    x = normal(1, 3, 3, 4).astype(jnp.bfloat16)
    y = layer(x, x) if isinstance(layer, PairConv) else layer(x)  # type: ignore[operator]
    assert {leaf.dtype for leaf in jax.tree.leaves(y)} == {jnp.bfloat16.dtype}


def test_batch_norm_keeps_its_statistics_in_float32() -> None:
    layer = BatchNorm(4)
    assert layer(normal(2, 3, 3, 4).astype(jnp.bfloat16), train=True).dtype == jnp.bfloat16
    assert layer.var[...].dtype == jnp.float32
