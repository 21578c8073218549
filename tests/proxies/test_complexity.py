"""Memory by hand, MACs against the compiler's own count."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from proxies.base import Estimator
from proxies.complexity import (
    Complexity,
    complexity,
    complexity_table,
    graph_complexity,
    live_bytes,
    num_macs,
    num_parameters,
    peak_memory_bytes,
)
from supernet.graph import build_graph
from supernet.named import named_network
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
)
from supernet.spaces import SPACE_NAMES, built_in_space


def spec_of(*blocks: BlockSpec, resolution: int = 4) -> NetworkSpec:
    return NetworkSpec("test", resolution, 4, 3, blocks, HeadSpec(0))


def test_peak_of_a_chain_is_the_largest_input_and_output() -> None:
    graph = build_graph(spec_of(ConvSpec(8), ConvSpec(2)))
    # Floats: the picture 64, maps 128 and 32, pooled 2, logits 3; activations are in place.
    expected = [64 + 128, 128, 128 + 32, 32, 32 + 2, 2 + 3]
    assert live_bytes(graph) == [4 * n for n in expected]


def test_residual_holds_the_input_and_the_addition_is_not_in_place() -> None:
    graph = build_graph(spec_of(InvertedResidualSpec(4, 12)))
    live = dict(zip([op.name for op in graph.ops], live_bytes(graph), strict=True))
    assert live["blocks/0/expand"] == 4 * (64 + 192)
    assert live["blocks/0/depthwise"] == 4 * (64 + 192 + 192)
    assert live["blocks/0/project"] == 4 * (64 + 192 + 64)
    assert live["blocks/0/residual"] == 4 * (64 + 64 + 64)
    assert complexity(graph.spec).peak_activation_bytes == live["blocks/0/depthwise"]


def test_views_are_free() -> None:
    block = MobileViTSpec(4, embed=8, heads=1, ffn=8, depth=1, patch=1)
    graph = build_graph(spec_of(block))
    live = dict(zip([op.name for op in graph.ops], live_bytes(graph), strict=True))
    # The block's input (for the concatenation) and the tokens.
    assert live["blocks/0/unfold"] == 4 * (64 + 128)
    # Input, tokens (for the residual), query, key, value, scores: 16 x 16.
    assert live["blocks/0/layers/0/scores"] == 4 * (64 + 128 + 3 * 128 + 256)


def test_counts_of_a_named_network() -> None:
    spec = named_network("mobilenetv1-0.25", num_classes=2, resolution=96)
    # MLPerf Tiny: 221,794 parameters, 7.49M MACs; the largest pair of maps is 48x48x8 -> 48x48x16.
    assert complexity(spec) == Complexity(221_794, 7_489_664, 48 * 48 * (8 + 16) * 4)


def test_macs_against_the_compiler() -> None:
    """On 1x1 kernels, where padding cannot be counted one way or the other."""
    spec = spec_of(ConvSpec(8, kernel=1, activation="none"), ConvSpec(6, 1, 2, activation="none"))

    def forward(x: jax.Array, a: jax.Array, b: jax.Array, c: jax.Array) -> jax.Array:
        x = ((x @ a)[::2, ::2] @ b).reshape(4, 6)
        return x[0] @ c

    shapes = [(4, 4, 4), (4, 8), (8, 6), (6, 3)]
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    flops = jax.jit(forward).lower(*arguments).cost_analysis()["flops"]
    # The compiler multiplies the whole map by `a` as well: the slice comes after.
    assert flops == pytest.approx(2 * complexity(spec).num_macs, rel=0.02)


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_counts_by_block_are_those_of_the_whole_graph(name: str) -> None:
    space = built_in_space(name)
    for architecture in space.decode_all(space.sample(np.random.default_rng(0), 20)):
        spec = space.network_spec(architecture, num_classes=3, channels=3)
        assert complexity(spec) == graph_complexity(build_graph(spec))


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_counts_of_many_are_those_of_each(name: str) -> None:
    space = built_in_space(name)
    codes = np.concatenate([space.sample(np.random.default_rng(1), 100), space.corners()])
    architectures = space.decode_all(codes)
    to_spec = functools.partial(space.network_spec, num_classes=3, channels=1)
    expected = [dataclasses.astuple(complexity(to_spec(architecture))) for architecture in architectures]
    np.testing.assert_array_equal(complexity_table(architectures, to_spec), expected)


def test_estimators() -> None:
    space = built_in_space("hybrid-small")
    architectures = space.decode_all(space.sample(np.random.default_rng(0), 3))
    to_spec = functools.partial(space.network_spec, num_classes=2)
    for make, field in (
        (num_parameters, "num_parameters"),
        (num_macs, "num_macs"),
        (peak_memory_bytes, "peak_activation_bytes"),
    ):
        estimator: Estimator = make(to_spec)
        values = estimator(architectures)
        assert (values.dtype, values.shape) == (np.float64, (3,))
        assert values.tolist() == [getattr(complexity(to_spec(a)), field) for a in architectures]
        assert (estimator.name, estimator.direction) == (make.__name__, "min")
    assert num_macs(to_spec)([]).shape == (0,)
