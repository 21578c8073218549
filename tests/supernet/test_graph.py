"""Graphs of small blocks against counts worked out by hand."""

import dataclasses

import pytest

from supernet.errors import UserError
from supernet.graph import build_graph, part_graphs
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)
from supernet.operations import VALUE, Graph, Op


def spec_of(*blocks: BlockSpec, resolution: int = 8, channels: int = 4) -> NetworkSpec:
    return NetworkSpec("test", resolution, channels, 10, blocks, HeadSpec(0))


def block_ops(graph: Graph, block: str = "blocks/0") -> dict[str, Op]:
    return {op.name.removeprefix(f"{block}/"): op for op in graph.ops if op.block == block}


def parameters(spec: NetworkSpec) -> int:
    return sum(op.num_parameters for op in block_ops(build_graph(spec)).values())


def macs(spec: NetworkSpec) -> int:
    return sum(op.num_macs for op in block_ops(build_graph(spec)).values())


def test_conv_block() -> None:
    spec = spec_of(ConvSpec(6, stride=2))
    assert parameters(spec) == 3 * 3 * 4 * 6 + 2 * 6
    assert macs(spec) == 4 * 4 * 3 * 3 * 4 * 6
    assert parameters(spec_of(ConvSpec(6, bias=True))) == 3 * 3 * 4 * 6 + 3 * 6


@pytest.mark.parametrize(("resolution", "side"), [(8, 4), (7, 4), (1, 1)])
def test_strided_side_is_rounded_up(resolution: int, side: int) -> None:
    graph = build_graph(spec_of(ConvSpec(6, kernel=5, stride=2), resolution=resolution))
    assert graph.shape(1) == (side, side, 6)


def test_separable_block() -> None:
    spec = spec_of(SeparableSpec(6, bias=True))
    assert parameters(spec) == (9 * 4 + 4 + 2 * 4) + (4 * 6 + 6 + 2 * 6)
    assert macs(spec) == 64 * (9 * 4 + 4 * 6)


def test_running_statistics_are_counted_where_the_publication_does() -> None:
    spec = dataclasses.replace(spec_of(ConvSpec(6)), counts_statistics=True)
    assert parameters(spec) == 3 * 3 * 4 * 6 + 4 * 6


def test_inverted_residual_block() -> None:
    spec = spec_of(InvertedResidualSpec(4, hidden=8, kernel=5, squeeze=2))
    assert parameters(spec) == ((4 * 8 + 16) + (25 * 8 + 16) + (8 * 2 + 2) + (2 * 8 + 8) + (8 * 4 + 8))
    assert macs(spec) == 64 * (4 * 8 + 25 * 8 + 8 * 4) + 8 * 2 + 2 * 8
    kinds = [op.kind for op in block_ops(build_graph(spec)).values()]
    assert kinds == [
        *("pointwise", "activation", "depthwise", "activation", "global_pool", "linear"),
        *("activation", "linear", "activation", "multiply", "pointwise", "add"),
    ]


@pytest.mark.parametrize(
    ("block", "has_residual"),
    [
        (InvertedResidualSpec(4, 8), True),
        (InvertedResidualSpec(4, 4, expand=False), True),
        (InvertedResidualSpec(6, 8), False),
        (InvertedResidualSpec(4, 8, stride=2), False),
    ],
)
def test_residual_where_stride_is_1_and_widths_agree(block: InvertedResidualSpec, has_residual: bool) -> None:
    assert ("residual" in block_ops(build_graph(spec_of(block)))) is has_residual


def test_mobilevit_block() -> None:
    spec = spec_of(MobileViTSpec(4, embed=6, heads=2, ffn=5, depth=2, patch=4))
    layer = (6 * 18 + 18) + (6 * 6 + 6) + (6 * 5 + 5) + (5 * 6 + 6) + 2 * 12
    convs = (9 * 4 * 4 + 8) + (4 * 6 + 12) + (6 * 4 + 8) + (9 * 8 * 4 + 8)
    assert parameters(spec) == convs + 2 * layer + 12
    # 64 pixels; 16 groups of 4 tokens; scores and mix are 4 x 4 x 6 in each group.
    attention = 64 * (6 * 18 + 6 * 6 + 6 * 5 + 5 * 6) + 2 * 16 * 4 * 4 * 6
    assert macs(spec) == 64 * (9 * 4 * 4 + 4 * 6 + 6 * 4 + 9 * 8 * 4) + 2 * attention
    ops = block_ops(build_graph(spec))
    assert ops["unfold"].shape == (16, 4, 6)
    assert ops["layers/1/query"].shape == (16, 2, 4, 3)
    assert ops["layers/1/scores"].shape == (16, 2, 4, 4)
    assert not {"pad", "crop", "layers/0/mask"} & set(ops)


def test_plain_embedding_has_no_norm() -> None:
    block = MobileViTSpec(4, embed=6, heads=2, ffn=5, depth=1, patch=4)
    plain = dataclasses.replace(block, embed_norm=False)
    assert parameters(spec_of(block)) - parameters(spec_of(plain)) == 12


def test_map_is_padded_where_the_patch_does_not_divide_it() -> None:
    block = MobileViTSpec(4, embed=6, heads=1, ffn=5, depth=1, patch=4)
    ops = block_ops(build_graph(spec_of(block, resolution=6)))
    assert ops["pad"].shape == (8, 8, 6)
    assert ops["unfold"].shape == (16, 4, 6)
    assert (ops["layers/0/mask"].patch, ops["layers/0/mask"].side) == (4, 6)
    assert ops["crop"].shape == (6, 6, 6)


def test_one_token_a_group_needs_the_value_only() -> None:
    block = MobileViTSpec(4, embed=6, heads=2, ffn=5, depth=1, patch=16)
    spec = spec_of(block)
    ops = block_ops(build_graph(spec))
    assert ops["unfold"].shape == (64, 1, 6)
    assert ops["unfold"].is_view
    assert not {"layers/0/scores", "layers/0/softmax", "pad"} & set(ops)
    qkv = ops["layers/0/qkv"]
    assert (qkv.part, qkv.shape, qkv.num_macs) == (VALUE, (64, 1, 6), 64 * 6 * 6)
    assert qkv.num_parameters == 6 * 18 + 18


def test_patch_embedding() -> None:
    spec = spec_of(PatchEmbedSpec(12, patch=4))
    assert parameters(spec) == 4 * 4 * 4 * 12 + 12
    assert macs(spec) == 2 * 2 * 4 * 4 * 4 * 12
    ops = block_ops(build_graph(spec))
    assert {name: op.shape for name, op in ops.items()} == dict.fromkeys(("conv", "position"), (2, 2, 12))
    assert (ops["conv"].kernel, ops["conv"].stride, ops["conv"].padding) == (4, 4, 0)


def test_patches_of_a_later_map() -> None:
    blocks = (ConvSpec(6, stride=2), PatchEmbedSpec(8, patch=3), TransformerSpec(8, heads=2, ffn=5, depth=1))
    graph = build_graph(spec_of(*blocks, resolution=11))  # 11, 6, 2
    assert block_ops(graph, "blocks/2")["norm"].shape == (1, 4, 8)
    with pytest.raises(UserError, match=r"blocks/1: patch is 3, .* its 7 x 7 map"):
        build_graph(spec_of(*blocks, resolution=13))


def test_transformer_block() -> None:
    spec = spec_of(TransformerSpec(4, heads=2, ffn=5, depth=3))
    layer = (4 * 12 + 12) + (4 * 4 + 4) + (4 * 5 + 5) + (5 * 4 + 4) + 2 * 8
    assert parameters(spec) == 3 * layer + 8
    # 64 pixels in one group: scores and mix are 64 x 64 x 4.
    assert macs(spec) == 3 * (64 * (4 * 12 + 4 * 4 + 4 * 5 + 5 * 4) + 2 * 64 * 64 * 4)
    ops = block_ops(build_graph(spec))
    assert ops["layers/2/scores"].shape == (1, 2, 64, 64)
    assert ops["layers/0/ffn_in/gelu"].function == "gelu"
    assert ops["unfold"].is_view
    assert ops["fold"].is_view
    assert ops["fold"].shape == (8, 8, 4)


def test_head() -> None:
    spec = dataclasses.replace(spec_of(ConvSpec(6)), head=HeadSpec(12, hidden=5))
    ops = block_ops(build_graph(spec), "head")
    assert sum(op.num_parameters for op in ops.values()) == ((6 * 12 + 24) + (12 * 5 + 5) + (5 * 10 + 10))
    assert ops["classifier"].shape == (10,)


def test_tensors_are_numbered_in_execution_order() -> None:
    graph = build_graph(
        spec_of(
            InvertedResidualSpec(4, 8, squeeze=2),
            MobileViTSpec(4, embed=6, heads=2, ffn=5, depth=1, patch=3),
        )
    )
    assert [op.output for op in graph.ops] == list(range(1, len(graph.ops) + 1))
    assert all(tensor < op.output for op in graph.ops for tensor in op.inputs)
    assert len({op.name for op in graph.ops}) == len(graph.ops)
    read = {tensor for op in graph.ops for tensor in op.inputs}
    assert read == set(range(len(graph.ops)))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (MobileViTSpec(4, 6, 4, 5, 1, 2), "heads is 4, which does not divide embed 6"),
        (MobileViTSpec(8, 6, 2, 5, 1, 2), "input has 4 channels; set width to 4"),
        (InvertedResidualSpec(4, 8, expand=False), "hidden must be the input's 4 channels"),
        (ConvSpec(6, kernel=2), "kernel is 2, but must be odd; try 3"),
        (ConvSpec(0), "width is 0, but must be an integer of 1 or more"),
        (ConvSpec("6"), "width is '6', but must be an integer of 1 or more"),  # type: ignore[arg-type]
        (ConvSpec(6, activation="tanh"), "activation is 'tanh'; choose one of relu"),  # type: ignore[arg-type]
        (PatchEmbedSpec(8, patch=3), "patch is 3, which does not divide the side of its 8 x 8 map"),
        (PatchEmbedSpec(10, patch=2), "width is 10, but sine-cosine positions need a multiple of 4 from 8"),
        (TransformerSpec(4, 3, 5, 1), "heads is 3, which does not divide width 4"),
        (TransformerSpec(8, 2, 5, 1), "a transformer block keeps its width, but width is 8"),
    ],
)
def test_impossible_blocks_are_refused_by_name(block: BlockSpec, message: str) -> None:
    with pytest.raises(UserError, match="blocks/0") as error:
        build_graph(spec_of(block))
    assert message in str(error.value)


def test_impossible_networks_are_refused() -> None:
    with pytest.raises(UserError, match="blocks is empty"):
        build_graph(spec_of())
    with pytest.raises(UserError, match="resolution is 0"):
        build_graph(spec_of(ConvSpec(4), resolution=0))


def test_parts_are_the_operations_of_the_whole_and_lowered_once() -> None:
    blocks = (ConvSpec(6, stride=2), InvertedResidualSpec(6, 12), InvertedResidualSpec(6, 12))
    for counts_statistics in (False, True):
        spec = dataclasses.replace(spec_of(*blocks, resolution=9), counts_statistics=counts_statistics)
        parts = part_graphs(spec)
        together = [(op.kind, op.shape, op.num_macs, op.num_parameters) for part in parts for op in part.ops]
        whole = build_graph(spec).ops
        assert together == [(op.kind, op.shape, op.num_macs, op.num_parameters) for op in whole]
        assert parts[1] is parts[2]
        assert parts[0].input_shape == (9, 9, 4)
        assert parts[-1].input_shape == (5, 5, 6)


def test_parts_of_an_impossible_network_are_refused() -> None:
    with pytest.raises(UserError, match="blocks/0: kernel is 2, but must be odd"):
        part_graphs(spec_of(ConvSpec(6, kernel=2)))
