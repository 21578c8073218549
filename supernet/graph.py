"""Lowers a network into its operations, in execution order, for one image and for inference.

Parameters, multiply-accumulates, peak memory (`proxies.complexity`), latency features, ONNX and TFLite files
all come from this one list.
"""

import functools

from supernet.graph_blocks import lower_block, lower_head
from supernet.graph_builder import GraphBuilder
from supernet.network_spec import BlockSpec, DenseHeadSpec, HeadSpec, NetworkSpec
from supernet.operations import Graph
from supernet.spec_checks import check_network_spec


def build_graph(spec: NetworkSpec) -> Graph:
    """Lowers `spec`.

    Raises:
        UserError: for a specification that no network can have (`spec_checks`).

    Examples:
      >>> from supernet import build_graph, named_network
      >>> graph = build_graph(named_network("hyt-nas-bl", num_classes=2, resolution=96))
      >>> graph.ops[0].kind, graph.ops[0].shape
      ('conv', (48, 48, 16))
    """
    check_network_spec(spec)
    shape = (spec.resolution, spec.resolution, spec.channels)
    builder = GraphBuilder(shape, counts_statistics=spec.counts_statistics)
    x, maps = 0, []
    for index, block in enumerate(spec.blocks):
        builder.scope = f"blocks/{index}"
        x = lower_block(builder, x, block)
        maps.append(x)
    builder.scope = "head"
    lower_head(builder, [maps[number] for number in spec.taps], spec.head, spec.num_classes)
    return builder.graph(spec.name)


def part_graphs(spec: NetworkSpec) -> tuple[Graph, ...]:
    """Lowers each block alone, and the head: every graph reads the map before its part as its tensor 0.

    Between two blocks a single tensor is alive, so that what is a sum or a maximum over operations is one
    over parts. With a dense head several are: the whole network is one part then. Thousands of candidates
    share a few hundred parts: equal ones are the same `Graph`, lowered once, and whatever is counted of it
    can be kept with it.

    Raises:
        UserError: for a specification that no network can have (`spec_checks`).
    """
    if isinstance(spec.head, DenseHeadSpec):
        return (build_graph(spec),)
    check_network_spec(spec)
    side, channels, graphs = spec.resolution, spec.channels, []
    for block in spec.blocks:
        graphs.append(block_graph(block, side, channels, spec.counts_statistics))
        side, _, channels = graphs[-1].ops[-1].shape
    return (*graphs, _head_graph(spec.head, side, channels, spec.num_classes, spec.counts_statistics))


@functools.lru_cache(maxsize=2**16)
def block_graph(spec: BlockSpec, side: int, channels: int, counts_statistics: bool = False) -> Graph:
    """A block over a map [side, side, channels], alone."""
    builder = GraphBuilder((side, side, channels), counts_statistics=counts_statistics)
    builder.scope = "blocks/0"
    lower_block(builder, 0, spec)
    return builder.graph("block")


@functools.lru_cache(maxsize=2**16)
def _head_graph(spec: HeadSpec, side: int, channels: int, num_classes: int, counts_statistics: bool) -> Graph:
    builder = GraphBuilder((side, side, channels), counts_statistics=counts_statistics)
    builder.scope = "head"
    lower_head(builder, [0], spec, num_classes)
    return builder.graph("head")
