"""Blocks: shapes, and arithmetic by hand."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, ndtr, softmax

from supernet.blocks import Head, InvertedResidual
from supernet.model import Model, Tree
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)
from supernet.positions import sine_cosine_positions
from supernet.widths import HeadWidths

from .block_models import SIDE, block_model, compiled, images, random_params


def test_shortcut_can_be_left_out() -> None:
    spec = InvertedResidualSpec(4, 8)
    block, plain = (Model(lambda init, on=on: _residual(spec, on, init)) for on in (True, False))
    params, x = random_params(block), images(4, 4)
    with_shortcut, _ = compiled(block)(params, x, None)
    without, _ = compiled(plain)(params, x, None)
    np.testing.assert_allclose(with_shortcut - without, x, atol=1e-5)


def _residual(spec: InvertedResidualSpec, has_shortcut: bool, init: Any) -> InvertedResidual:
    block = InvertedResidual(4, spec, init)
    block.has_shortcut = has_shortcut
    return block


def test_mobilevit_without_embed_norm() -> None:
    model = block_model(4, MobileViTSpec(4, embed=4, heads=2, ffn=4, depth=1, patch=2, embed_norm=False))
    assert "embed_norm" not in model.abstract_params
    y, _ = compiled(model)(random_params(model), images(4, 4), None)
    assert y.shape == (3, SIDE, SIDE, 4)
    assert np.isfinite(y).all()


def test_patch_larger_than_the_map_is_the_map() -> None:
    """Every pixel on its own: as with a patch of the map's side."""
    outputs = []
    for patch in (SIDE, 4 * SIDE):
        model = block_model(4, MobileViTSpec(4, embed=4, heads=1, ffn=4, depth=1, patch=patch))
        outputs.append(compiled(model)(random_params(model), images(4, 4), None)[0])
    np.testing.assert_allclose(*outputs, atol=1e-6)


def _norm(x: np.ndarray) -> np.ndarray:
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)


def test_squeeze_and_excitation_by_hand() -> None:
    spec = InvertedResidualSpec(3, 4, kernel=1, expand=False, activation="relu", squeeze=2)
    model = block_model(4, spec)
    params, x = random_params(model), images(4, 4)
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), params)

    def norm(h: np.ndarray, name: str) -> np.ndarray:
        return _norm(h) * p[name]["scale"] + p[name]["bias"]

    h = np.maximum(norm(np.asarray(x) * p["depthwise"]["kernel"][0, 0], "depthwise_norm"), 0)
    gate = np.maximum(h.mean((1, 2)) @ p["squeeze"]["kernel"] + p["squeeze"]["bias"], 0)
    gate = np.clip((gate @ p["excite"]["kernel"] + p["excite"]["bias"] + 3) / 6, 0, 1)
    expected = norm((h * gate[:, None, None]) @ p["project"]["kernel"], "project_norm")
    np.testing.assert_allclose(compiled(model)(params, x, None)[0], expected, atol=1e-4)


def test_separable_by_hand() -> None:
    model = block_model(2, SeparableSpec(3, kernel=1, stride=2, bias=True))
    params, x = random_params(model), images(2, 2)
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
    h = np.asarray(x)[:, ::2, ::2] * p["depthwise"]["kernel"][0, 0] + p["depthwise"]["bias"]
    h = np.maximum(_norm(h) * p["depthwise_norm"]["scale"] + p["depthwise_norm"]["bias"], 0)
    h = h @ p["pointwise"]["kernel"] + p["pointwise"]["bias"]
    expected = np.maximum(_norm(h) * p["pointwise_norm"]["scale"] + p["pointwise_norm"]["bias"], 0)
    np.testing.assert_allclose(compiled(model)(params, x, None)[0], expected, atol=1e-4)


def test_patches_have_their_positions_added() -> None:
    model = block_model(4, PatchEmbedSpec(8, patch=1))
    params, x = random_params(model), images(4, 4)
    expected = x @ params["conv"]["kernel"][0, 0] + params["conv"]["bias"] + sine_cosine_positions(5, 5, 8)
    np.testing.assert_allclose(compiled(model)(params, x, None)[0], expected, atol=1e-5)


def test_transformer_by_hand() -> None:
    """Every pixel attends to every other; head h of 2 has the channels 2c + h."""
    model = block_model(4, TransformerSpec(4, heads=2, ffn=3, depth=1))
    params, x = random_params(model), images(4, 4)
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
    layer = p["layers"][0]

    def linear(h: np.ndarray, name: str) -> np.ndarray:
        return h @ layer[name]["kernel"] + layer[name]["bias"]

    def norm(h: np.ndarray, q: dict[str, np.ndarray]) -> np.ndarray:
        centred = h - h.mean(-1, keepdims=True)
        return centred / np.sqrt(h.var(-1, keepdims=True) + 1e-5) * q["scale"] + q["bias"]

    h = np.asarray(x, np.float64).reshape(3, SIDE * SIDE, 4)
    qkv = np.einsum("bnc,cpd->pbnd", norm(h, layer["norm1"]), layer["qkv"]["kernel"])
    q, k, v = qkv + layer["qkv"]["bias"][:, None, None]
    mixed = np.empty_like(h)
    for head in (0, 1):
        mine = slice(head, None, 2)
        scores = q[..., mine] @ k[..., mine].swapaxes(1, 2) / np.sqrt(2)
        mixed[..., mine] = softmax(scores, -1) @ v[..., mine]
    h = h + linear(mixed, "attention_out")
    hidden = linear(norm(h, layer["norm2"]), "ffn_in")
    h = norm(h + linear(hidden * ndtr(hidden), "ffn_out"), p["norm"])
    y = np.asarray(compiled(model)(params, x, None)[0])
    np.testing.assert_allclose(y, h.reshape(y.shape), atol=1e-4)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (ConvSpec(7, kernel=5, stride=2), (3, 3, 3, 7)),
        (SeparableSpec(7, stride=2), (3, 3, 3, 7)),
        (InvertedResidualSpec(7, 12, stride=2), (3, 3, 3, 7)),
        (MobileViTSpec(6, embed=4, heads=2, ffn=4, depth=1, patch=2), (3, 5, 5, 6)),
        (PatchEmbedSpec(8, patch=5), (3, 1, 1, 8)),
        (TransformerSpec(6, heads=3, ffn=4, depth=2), (3, 5, 5, 6)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_shapes(spec: BlockSpec, shape: tuple[int, ...]) -> None:
    model = block_model(6, spec)
    y, _ = jax.eval_shape(compiled(model), model.abstract_params, images(6, 6), None)
    assert y.shape == shape


def head_model(in_width: int, spec: HeadSpec) -> Model:
    return Model(lambda init: Head(in_width, spec, 2, init))


def narrowed(width: int) -> HeadWidths:
    return HeadWidths(jnp.int32(width), jnp.int32(1))


def test_head_by_hand() -> None:
    model = head_model(4, HeadSpec(3, hidden=2, activation="silu"))
    params, x = random_params(model), images(4, 4)
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), params)
    h = _norm(np.asarray(x) @ p["conv"]["kernel"]) * p["norm"]["scale"] + p["norm"]["bias"]
    h = (h * expit(h)).mean((1, 2)) @ p["hidden"]["kernel"] + p["hidden"]["bias"]
    expected = (h * expit(h)) @ p["classifier"]["kernel"] + p["classifier"]["bias"]
    np.testing.assert_allclose(compiled(model)(params, [x], None)[0], expected, atol=1e-4)


def test_head_masked_is_sliced(cut: Callable[[Tree, Tree], Tree]) -> None:
    model, small = head_model(6, HeadSpec(5)), head_model(4, HeadSpec(3))
    params, x = random_params(model), images(6, 4)
    y, _ = compiled(model)(params, [x], narrowed(3))
    expected, _ = compiled(small)(cut(small.abstract_params, params), [x[..., :4]], None)
    np.testing.assert_allclose(y, expected, atol=1e-4)


def test_head_of_pooling_alone() -> None:
    model = head_model(4, HeadSpec(0))
    params, x = random_params(model), images(4, 4)
    assert set(model.abstract_params) == {"classifier"}
    kernel, bias = params["classifier"]["kernel"], params["classifier"]["bias"]
    np.testing.assert_allclose(
        compiled(model)(params, [x], None)[0], x.mean((1, 2)) @ kernel + bias, atol=1e-5
    )
