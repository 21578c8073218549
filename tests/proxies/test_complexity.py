"""Memory by hand, MACs against the compiler's own count."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from all_spaces import SPACES

from proxies.base import Estimator
from proxies.complexity import (
    complexity,
    complexity_table,
    graph_complexity,
    live_bytes,
    model_bytes,
    model_bytes_int8,
    num_macs,
    num_parameters,
    peak_memory_bytes,
    peak_memory_bytes_int8,
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
from supernet.spaces import built_in_space


def spec_of(*blocks: BlockSpec, resolution: int = 4) -> NetworkSpec:
    return NetworkSpec("test", resolution, 4, 3, blocks, HeadSpec(0))


def test_peak_of_a_chain() -> None:
    relu = ConvSpec(2, activation="relu")
    graph = build_graph(spec_of(ConvSpec(8), relu, ConvSpec(2, activation="hardswish")))
    # Floats: the image 64, maps 128, 32 and 32, pooled 2, logits 3. SiLU's product has its input and the
    # gate beside it; relu is the convolution's own.
    expected = [64 + 128, 3 * 128, 128 + 32, 128 + 32, 32 + 32, 32 + 32, 32 + 2, 2 + 3]
    assert live_bytes(graph) == [4 * n for n in expected]


def test_residual_holds_the_input_and_the_addition_is_not_in_place() -> None:
    spec = spec_of(InvertedResidualSpec(4, 12))
    graph = build_graph(spec)
    live = dict(zip([op.name for op in graph.ops], live_bytes(graph), strict=True))
    assert live["blocks/0/expand"] == 4 * (64 + 192)
    assert live["blocks/0/expand/silu"] == 4 * (64 + 3 * 192)
    assert live["blocks/0/depthwise"] == 4 * (64 + 192 + 192)
    assert live["blocks/0/project"] == 4 * (64 + 192 + 64)
    assert live["blocks/0/residual"] == 4 * (64 + 64 + 64)
    counts = complexity(spec)
    assert counts.peak_activation_bytes == live["blocks/0/expand/silu"]
    assert counts.peak_activation_bytes_int8 == counts.peak_activation_bytes // 4


def test_a_strided_convolution_holds_the_padded_copy() -> None:
    """Of a side that the stride divides: TFLite's own padding is another."""
    for side, expected in ((4, 4 * 16 + 4 * 25), (5, 4 * 25 + 8 * 9)):
        spec = spec_of(ConvSpec(8, stride=2, activation="relu"), resolution=side)
        assert live_bytes(build_graph(spec))[0] == 4 * expected


def test_attention() -> None:
    block = MobileViTSpec(4, embed=8, heads=1, ffn=8, depth=1, patch=1)
    graph = build_graph(spec_of(block))
    live = dict(zip([op.name for op in graph.ops], live_bytes(graph), strict=True))
    # The block's input (for the concatenation), the map and its copy as tokens.
    assert live["blocks/0/unfold"] == 4 * (64 + 2 * 128)
    # Input, tokens (for the residual), the three in one, query, key, and the value as it is cut out.
    assert live["blocks/0/layers/0/value"] == 4 * (64 + 128 + 3 * 128 + 3 * 128)
    # Input, tokens, value, scores: 16 x 16, before and after.
    assert live["blocks/0/layers/0/softmax"] == 4 * (64 + 128 + 128 + 2 * 256)


def test_counts_of_a_named_network() -> None:
    counts = complexity(named_network("mobilenetv1-0.25", num_classes=2, resolution=96))
    # MLPerf Tiny: 221,794 parameters, 7.49M MACs. The most is alive where a map 48x48x16 is padded to 49x49.
    assert (counts.num_parameters, counts.num_macs) == (221_794, 7_489_664)
    assert counts.peak_activation_bytes == 4 * 16 * (48 * 48 + 49 * 49)


def test_model_bytes_are_the_weights_and_what_a_file_needs_beside_them() -> None:
    narrow, wide = (complexity(spec_of(ConvSpec(8), ConvSpec(width))) for width in (16, 32))
    # 16 more channels: of 3x3x8 weights and a bias; and 16 x 3 weights of the classifier. Nothing else grows.
    weights, channels = 16 * 72 + 16 * 3, 16
    assert wide.model_bytes - narrow.model_bytes == 4 * (weights + channels)
    assert wide.model_bytes_int8 - narrow.model_bytes_int8 == weights + 4 * channels + 2 * 12 * channels
    assert wide.model_bytes > 4 * wide.num_parameters


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


@pytest.mark.parametrize("name", SPACES)
def test_counts_by_block_are_those_of_the_whole_graph(name: str) -> None:
    space = SPACES[name]
    for architecture in space.decode_all(space.sample(np.random.default_rng(0), 20)):
        spec = space.network_spec(architecture, num_classes=3, channels=3)
        assert complexity(spec) == graph_complexity(build_graph(spec))


@pytest.mark.parametrize("name", SPACES)
def test_counts_of_many_are_those_of_each(name: str) -> None:
    space = SPACES[name]
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
        (peak_memory_bytes_int8, "peak_activation_bytes_int8"),
        (model_bytes, "model_bytes"),
        (model_bytes_int8, "model_bytes_int8"),
    ):
        estimator: Estimator = make(to_spec)
        values = estimator(architectures)
        assert (values.dtype, values.shape) == (np.float64, (3,))
        assert values.tolist() == [getattr(complexity(to_spec(a)), field) for a in architectures]
        assert (estimator.name, estimator.direction) == (make.__name__, "min")
    assert num_macs(to_spec)([]).shape == (0,)
