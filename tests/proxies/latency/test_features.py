"""Features by hand, and block by block against the whole graph."""

import functools
import itertools
import math

import numpy as np
import pytest
from all_spaces import SPACES

from proxies.latency.features import FEATURE_NAMES, architecture_features, feature_table, latency_features
from supernet.errors import UserError
from supernet.graph import build_graph
from supernet.named import NAMES, named_network
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, NetworkSpec, PatchEmbedSpec


def named(features: np.ndarray) -> dict[str, float]:
    return {name: value for name, value in zip(FEATURE_NAMES, features, strict=True) if value}


def test_by_hand() -> None:
    spec = NetworkSpec("test", 4, 3, 2, (ConvSpec(8, stride=2, activation="none"),), HeadSpec(0))
    assert named(latency_features(spec)) == {
        "network": 1,
        "num_conv": 1,
        "elements_conv": 2 * 2 * 8,
        "macs_conv": 2 * 2 * 8 * 9 * 3,
        "num_global_pool": 1,
        "elements_global_pool": 8,
        "num_linear": 1,
        "elements_linear": 2,
        "macs_linear": 16,
    }


def test_positions_are_an_addition() -> None:
    spec = NetworkSpec("test", 4, 3, 2, (PatchEmbedSpec(8, patch=2),), HeadSpec(0))
    features = named(latency_features(spec))
    assert (features["num_add"], features["elements_add"]) == (1, 2 * 2 * 8)


@pytest.mark.parametrize(("kernel", "is_large"), [(5, False), (7, True)])
def test_large_depthwise_kernels_are_counted_beside(kernel: int, is_large: bool) -> None:
    block = InvertedResidualSpec(8, 8, kernel, expand=False)
    spec = NetworkSpec("test", 4, 8, 2, (block,), HeadSpec(0))
    features = named(latency_features(spec))
    elements = 4 * 4 * 8
    assert (features["num_depthwise"], features["macs_depthwise"]) == (1, elements * kernel**2)
    beside = {name: value for name, value in features.items() if "large" in name}
    expected = {"num": 1, "elements": elements, "macs": elements * kernel**2}
    assert beside == ({f"{name}_large_depthwise": n for name, n in expected.items()} if is_large else {})


def whole_graph(spec: NetworkSpec) -> dict[str, float]:
    """The same without blocks."""
    features: dict[str, float] = {"network": 1}
    for op in build_graph(spec).ops:
        if not op.is_view:
            kinds = ["add" if op.kind == "position" else op.kind]
            kinds += ["large_depthwise"] * (op.kind == "depthwise" and op.kernel > 5)
            values = {"num": 1, "elements": math.prod(op.shape), "macs": op.num_macs}
            for name, kind in itertools.product(values, kinds):
                if values[name]:
                    features[f"{name}_{kind}"] = features.get(f"{name}_{kind}", 0) + values[name]
    return features


@pytest.mark.parametrize("name", NAMES)
def test_blocks_add_up_to_the_whole_graph_of_a_named_network(name: str) -> None:
    spec = named_network(name, num_classes=3, resolution=80)
    assert named(latency_features(spec)) == whole_graph(spec)


@pytest.mark.parametrize("name", SPACES)
def test_blocks_add_up_to_the_whole_graph_in_every_space(name: str) -> None:
    space = SPACES[name]
    for architecture in space.decode_all(space.sample(np.random.default_rng(0), 10)):
        spec = space.network_spec(architecture, num_classes=5, channels=1)
        assert named(latency_features(spec)) == whole_graph(spec)


def test_a_table_has_a_row_for_each_network() -> None:
    specs = [named_network("hyt-nas-bl", num_classes=2, resolution=side) for side in (32, 64)]
    table = feature_table(specs)
    assert table.dtype == np.float64
    assert np.array_equal(table, [latency_features(spec) for spec in specs])
    assert feature_table([]).shape == (0, len(FEATURE_NAMES))


@pytest.mark.parametrize("name", SPACES)
def test_features_of_many_are_those_of_each(name: str) -> None:
    space = SPACES[name]
    codes = np.concatenate([space.sample(np.random.default_rng(1), 100), space.corners()])
    architectures = space.decode_all(codes)
    to_spec = functools.partial(space.network_spec, num_classes=3)
    features = architecture_features(architectures, to_spec)
    np.testing.assert_array_equal(features, feature_table(map(to_spec, architectures)))
    assert architecture_features([], to_spec).shape == (0, len(FEATURE_NAMES))


def test_what_comes_back_is_not_the_cache() -> None:
    spec = named_network("hyt-nas-bl", num_classes=2, resolution=32)
    first = latency_features(spec)
    expected = first.copy()
    first *= 0
    assert np.array_equal(latency_features(spec), expected)


def test_an_impossible_network_is_refused() -> None:
    block = InvertedResidualSpec(8, hidden=4, expand=False)
    with pytest.raises(UserError, match="hidden must be the input's 3 channels"):
        latency_features(NetworkSpec("test", 8, 3, 2, (block,), HeadSpec(0)))
