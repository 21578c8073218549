"""The estimated energy by hand, and that parts add up to networks."""

import numpy as np
import pytest

from proxies.energy import EnergyEstimator, _microjoules
from proxies.parts import Part
from supernet.graph import part_graphs
from supernet.named import NAMES, named_network
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec
from supernet.spaces import built_in_space


def microjoules(spec: NetworkSpec) -> float:
    """Of a network alone, part by part."""
    return sum(_microjoules(Part.whole(graph)) for graph in part_graphs(spec))


def test_by_hand() -> None:
    """A 3x3 convolution of stride 2 over a 4x4 image with 3 channels to 8, its mean, and two classes."""
    spec = NetworkSpec("by hand", 4, 3, 2, (ConvSpec(8, stride=2, activation="relu"),), HeadSpec(0))
    macs = 4 * 9 * 3 * 8 + 8 * 2
    parameters = (9 * 3 * 8 + 2 * 8) + (8 * 2 + 2)
    moved = (48 + 32) + (32 + 8) + (8 + 2)  # the activation is computed where the convolution is
    expected = 4.6 * macs + 4 * (162.5 * parameters + 12.5 * moved)
    assert microjoules(spec) == pytest.approx(expected / 1e6)


@pytest.mark.parametrize("name", ["hybrid", "hybrid-small", "hytnas"])
def test_many_at_once_are_as_each_alone(name: str) -> None:
    space = built_in_space(name)
    members = space.decode_all(space.sample(np.random.default_rng(0), 20))

    def to_spec(member):
        return space.network_spec(member, channels=3, num_classes=10)

    estimator = EnergyEstimator(to_spec)
    alone = [microjoules(to_spec(member)) for member in members]
    np.testing.assert_allclose(estimator(members), alone, rtol=1e-12)
    assert (estimator.unit, estimator.direction) == ("uJ", "min")


@pytest.mark.parametrize("name", NAMES)
def test_a_larger_image_takes_more(name: str) -> None:
    small, large = (microjoules(named_network(name, num_classes=2, resolution=side)) for side in (32, 96))
    assert 0 < small < large
