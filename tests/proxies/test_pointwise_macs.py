"""The count by hand and beside all MACs."""

import numpy as np

from proxies.complexity import num_macs
from proxies.pointwise_macs import PointwiseMacs
from supernet.architecture import Architecture
from supernet.graph import build_graph
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space
from supernet.stage_space import StageSpace

SPACE = built_in_space("hybrid-small")


def to_spec(architecture: Architecture) -> NetworkSpec:
    return SPACE.network_spec(architecture, channels=3, num_classes=10)


def test_by_hand() -> None:
    """On a 4x4 map: expansion 4 -> 8, projection 8 -> 6, the head's 6 -> 6."""
    stage = StageSpace(stride=1, depth=(1, 2), expansion=(2,), width=(6,))
    space = SearchSpace("one stage", (stage,), (4,), stem_width=4, stem_stride=1, head_ratio=1, head_min=5)
    one_block = space.decode(np.array([0]))
    count = PointwiseMacs(lambda a: space.network_spec(a, channels=3, num_classes=2))([one_block])
    assert count.tolist() == [16 * (4 * 8 + 8 * 6 + 6 * 6)]


def test_part_of_all() -> None:
    members = SPACE.decode_all(SPACE.sample(np.random.default_rng(1), 10))
    counts = PointwiseMacs(to_spec)(members)
    graphs = [build_graph(to_spec(member)) for member in members]
    expected = [sum(op.num_macs for op in graph.ops if op.kind == "pointwise") for graph in graphs]
    np.testing.assert_array_equal(counts, expected)
    assert (counts < num_macs(to_spec)(members)).all()
    assert PointwiseMacs(to_spec).direction == "max"
