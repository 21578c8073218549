"""A network block by block: layers in words, output shapes, parameters, MACs, peak memory."""

import dataclasses
import itertools

from proxies.complexity import live_bytes
from supernet.graph import build_graph
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)


@dataclasses.dataclass(frozen=True)
class BlockRow:
    """One line of the description; memory is the most alive at once during the block, in bytes of float32."""

    block: str
    layers: str
    shape: tuple[int, ...]
    num_parameters: int
    num_macs: int
    peak_activation_bytes: int


def describe(spec: NetworkSpec) -> list[BlockRow]:
    """One row for each block and the head. Raises UserError for an impossible specification."""
    graph = build_graph(spec)
    layers = {f"blocks/{i}": _layers(block) for i, block in enumerate(spec.blocks)}
    layers["head"] = _head_layers(spec.head)
    pairs = zip(graph.ops, live_bytes(graph), strict=True)
    rows = []
    for block, group in itertools.groupby(pairs, key=lambda pair: pair[0].block):
        ops, live = zip(*group, strict=True)
        rows.append(
            BlockRow(
                block,
                layers[block],
                ops[-1].shape,
                num_parameters=sum(op.num_parameters for op in ops),
                num_macs=sum(op.num_macs for op in ops),
                peak_activation_bytes=max(live),
            )
        )
    return rows


def _layers(spec: BlockSpec) -> str:
    """A block in words."""
    match spec:
        case ConvSpec():
            return f"conv {_window(spec)}, {spec.activation}"
        case SeparableSpec():
            return f"separable conv {_window(spec)}, {spec.activation}"
        case InvertedResidualSpec():
            hidden = f" over {spec.hidden}" if spec.expand else ""
            squeeze = f", squeeze {spec.squeeze}" if spec.squeeze else ""
            return f"inverted residual {_window(spec)}{hidden}{squeeze}, {spec.activation}"
        case MobileViTSpec():
            return (
                f"MobileViT embed {spec.embed}, heads {spec.heads}, ffn {spec.ffn}, "
                f"depth {spec.depth}, patch {spec.patch}"
            )
        case PatchEmbedSpec():
            return f"patches {spec.patch}x{spec.patch}, sine-cosine positions"
        case TransformerSpec():
            return f"transformer heads {spec.heads}, ffn {spec.ffn}, depth {spec.depth}"


def _window(spec: ConvSpec | SeparableSpec | InvertedResidualSpec) -> str:
    stride = f" stride {spec.stride}" if spec.stride > 1 else ""
    return f"{spec.kernel}x{spec.kernel}{stride}"


def _head_layers(spec: HeadSpec | DenseHeadSpec) -> str:
    if isinstance(spec, DenseHeadSpec):
        return f"{len(spec.taps)} maps by conv 1x1 of {spec.width}, summed, {_refining(spec)}conv 1x1"
    conv = f"conv 1x1 of {spec.width}, " if spec.width else ""
    hidden = f"linear {spec.hidden}, " if spec.hidden else ""
    return f"{conv}pool, {hidden}classifier"


def _refining(spec: DenseHeadSpec) -> str:
    times = f"{spec.depth} times " if spec.depth > 1 else ""
    return f"{times}separable conv {spec.kernel}x{spec.kernel}, "
