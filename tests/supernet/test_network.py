"""The stand-alone network and the pure functions around a module."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from supernet.model import Model, Tree
from supernet.network import stand_alone
from supernet.network_spec import (
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)

SPEC = NetworkSpec(
    "all blocks",
    resolution=7,
    channels=2,
    num_classes=3,
    blocks=(
        ConvSpec(4),
        SeparableSpec(4),
        InvertedResidualSpec(6, 8, stride=2, squeeze=2),
        MobileViTSpec(6, embed=4, heads=2, ffn=6, depth=1, patch=2),
        PatchEmbedSpec(8, patch=2),
        TransformerSpec(8, heads=2, ffn=6, depth=1),
    ),
    head=HeadSpec(5, hidden=4),
)


@pytest.fixture(scope="module")
def model() -> Model:
    return stand_alone(SPEC)


@pytest.fixture(scope="module")
def initial(model: Model) -> tuple[Tree, Tree]:
    return model.init(jax.random.key(0))


@pytest.fixture(scope="module")
def images() -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).standard_normal((4, 7, 7, 2)), jnp.float32)


def equal(a: Tree, b: Tree) -> bool:
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))


def test_init(model: Model, initial: tuple[Tree, Tree]) -> None:
    params, stats = initial
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(lambda a: a.shape, model.abstract_params)
    assert jax.tree.map(jnp.shape, stats) == jax.tree.map(lambda a: a.shape, model.abstract_stats)
    assert {leaf.dtype for leaf in jax.tree.leaves((params, stats))} == {jnp.float32.dtype}
    assert equal(params, model.init(jax.random.key(0))[0])
    assert not equal(params, model.init(jax.random.key(1))[0])
    norm = stats["blocks"][0]["norm"]
    assert (set(norm["mean"].tolist()), set(norm["var"].tolist())) == ({0.0}, {1.0})


def test_training_returns_the_statistics_of_the_batch(
    model: Model, initial: tuple[Tree, Tree], images: jax.Array
) -> None:
    params, stats = initial
    apply = jax.jit(model.apply, static_argnames="train")
    logits, batch_stats = apply(params, stats, images, train=True)
    assert (logits.shape, logits.dtype) == ((4, 3), jnp.float32)
    stem = model.abstract_stats["blocks"][0]["norm"]["mean"].shape
    assert batch_stats["blocks"][0]["norm"]["mean"].shape == stem
    assert not any(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(stats), jax.tree.leaves(batch_stats), strict=True)
    )
    # With the statistics of this batch, use computes what training did; and it returns what it was given.
    same, unchanged = apply(params, batch_stats, images, train=False)
    np.testing.assert_allclose(same, logits, atol=1e-4)
    assert equal(unchanged, batch_stats)
    other, _ = apply(params, stats, images, train=False)
    assert not np.allclose(other, logits, atol=1e-2)


def test_features_are_what_the_head_pools(
    model: Model, initial: tuple[Tree, Tree], images: jax.Array
) -> None:
    params, stats = initial
    features, of_features = jax.jit(model.features)(params, stats, images)
    assert features.shape == (4, 2, 2, 5)
    logits, of_logits = jax.jit(model.apply, static_argnames="train")(params, stats, images, train=True)
    head = jax.tree.map(np.asarray, params["head"])
    h = np.asarray(features).mean((1, 2)) @ head["hidden"]["kernel"] + head["hidden"]["bias"]
    h = h / (1 + np.exp(-h))
    expected = h @ head["classifier"]["kernel"] + head["classifier"]["bias"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), of_features, of_logits)


def test_half_precision_stays_inside(initial: tuple[Tree, Tree], images: jax.Array) -> None:
    params, stats = initial
    half = stand_alone(SPEC, dtype=jnp.bfloat16)
    logits, batch_stats = jax.eval_shape(
        lambda p, s, x: half.apply(p, s, x, train=True), params, stats, images
    )
    assert logits.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(batch_stats)} == {jnp.float32.dtype}
    features, _ = jax.eval_shape(half.features, params, stats, images)
    assert features.dtype == jnp.bfloat16
