"""Elastic blocks: narrowed == sliced for every size, with one tier and several; inactive outputs zero."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from supernet.elastic import ElasticMobileViT, ElasticResidual, tile_size
from supernet.model import Model, Tree
from supernet.network_spec import InvertedResidualSpec, MobileViTSpec
from supernet.widths import AttentionWidths, ResidualWidths

from .block_models import Apply, block_model, compiled, images, random_params

Cut = Callable[[Tree, Tree], Tree]


class Residual(ElasticResidual):
    """Called with its widths, as `Model` does."""

    def __call__(self, x: jax.Array, widths: ResidualWidths, *, train: bool) -> jax.Array:  # type: ignore[override]
        return self.narrowed(x, widths, train=train)


class Transformer(ElasticMobileViT):
    def __call__(self, x: jax.Array, widths: AttentionWidths, *, train: bool) -> jax.Array:  # type: ignore[override]
        return self.narrowed(x, widths, train=train)


def elastic_residual(spec: InvertedResidualSpec, *, tiers: int) -> Model:
    kernels = (3, spec.kernel)[-tiers:]

    def build(init: Any) -> Residual:
        block = Residual(6, spec, init, kernels=kernels, tiled=tiers > 1)
        block.tile = 4 if tiers > 1 else spec.hidden
        return block

    return Model(build)


def elastic_mobilevit(spec: MobileViTSpec, *, tiers: int) -> Model:
    widths, embeds = (4, 6)[-tiers:], (4, 8)[-tiers:]
    return Model(lambda init: Transformer(spec, init, widths=widths, embeds=embeds))


def check_masked_is_sliced(
    big: tuple[Model, Tree, Apply], widths: Any, small: Model, in_active: int, out_active: int, cut: Cut
) -> None:
    _, params, apply = big
    x = images(6, in_active)
    y, stats = apply(params, x, jax.tree.map(jnp.int32, widths))
    expected, expected_stats = compiled(small)(cut(small.abstract_params, params), x[..., :in_active], None)
    np.testing.assert_allclose(y[..., :out_active], expected, atol=1e-4)
    assert not y[..., out_active:].any()

    def same(ours: jax.Array, theirs: jax.Array) -> None:
        np.testing.assert_allclose(ours, theirs, atol=1e-4)

    jax.tree.map(same, cut(small.abstract_stats, stats), expected_stats)


@pytest.fixture(scope="module", params=[(1, 1), (1, 2), (2, 2)], ids="stride{0[0]}-tiers{0[1]}".format)
def residual(request: pytest.FixtureRequest) -> tuple[int, Model, Tree, Apply]:
    model = elastic_residual(
        InvertedResidualSpec(6, 24, kernel=5, stride=request.param[0]), tiers=request.param[1]
    )
    return request.param[0], model, random_params(model), compiled(model)


@pytest.mark.parametrize(
    ("in_width", "width", "expansion", "kernel"),
    [(4, 4, 1, 3), (4, 6, 1, 5), (6, 6, 2, 5), (6, 4, 4, 3), (4, 4, 4, 5)],
)
def test_inverted_residual(
    residual: tuple[int, Model, Tree, Apply],
    in_width: int,
    width: int,
    expansion: int,
    kernel: int,
    cut: Cut,
) -> None:
    stride, *big = residual
    spec = InvertedResidualSpec(width, in_width * expansion, kernel, stride, expand=expansion > 1)
    widths = ResidualWidths(in_width, width, expansion, kernel)  # type: ignore[arg-type]
    check_masked_is_sliced(tuple(big), widths, block_model(in_width, spec), in_width, width, cut)


def test_inverted_residual_without_any_expansion(cut: Cut) -> None:
    model = elastic_residual(InvertedResidualSpec(6, 6, expand=False), tiers=1)
    assert "expand" not in model.abstract_params
    big = model, random_params(model), compiled(model)
    small = block_model(4, InvertedResidualSpec(4, 4, expand=False))
    check_masked_is_sliced(big, ResidualWidths(4, 4, 1, 3), small, 4, 4, cut)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[(1, 1), (2, 1), (1, 2)], ids="unit{0[0]}-tiers{0[1]}".format)
def mobilevit(request: pytest.FixtureRequest) -> tuple[int, Model, Tree, Apply]:
    """Every choice of the patch is a multiple of the unit; neither divides the map of 5x5."""
    spec = MobileViTSpec(6, embed=8, heads=4, ffn=16, depth=2, patch=request.param[0])
    model = elastic_mobilevit(spec, tiers=request.param[1])
    return request.param[0], model, random_params(model), compiled(model)


@pytest.mark.parametrize(
    ("width", "embed", "heads", "ffn", "patch", "depth"),
    [(4, 4, 1, 4, 2, 1), (6, 8, 2, 8, 4, 2), (4, 8, 4, 16, 2, 2), (6, 4, 2, 6, 8, 1), (6, 8, 1, 16, 1, 1)],
)
def test_mobilevit(
    mobilevit: tuple[int, Model, Tree, Apply],
    width: int,
    embed: int,
    heads: int,
    ffn: int,
    patch: int,
    depth: int,
    cut: Cut,
) -> None:
    unit, *big = mobilevit
    if patch % unit:
        pytest.skip("not a multiple of the unit")
    spec = MobileViTSpec(width, embed, heads, ffn, depth, patch)
    widths = AttentionWidths(width, embed, heads, ffn, patch, depth)  # type: ignore[arg-type]
    check_masked_is_sliced(tuple(big), widths, block_model(width, spec), width, width, cut)


@pytest.mark.parametrize(("hidden", "size"), [(24, 12), (64, 16), (96, 24), (192, 48), (40, 10), (17, 1)])
def test_tile_size(hidden: int, size: int) -> None:
    assert tile_size(hidden) == size
