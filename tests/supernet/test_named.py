"""Published networks against their published (or recomputed) parameter counts."""

import jax
import pytest

from supernet.errors import UserError
from supernet.graph import build_graph
from supernet.named import NAMES, named_network
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec, SeparableSpec

PARAMETERS = {
    ("hyt-nas-bl", 2): 15_050,
    ("hyt-nas-o", 2): 187_858,
    ("hyt-nas-ba", 2): 3_390_642,
    ("mobilevit-xxs", 1000): 1_272_024,
    ("mobilevit-xs", 1000): 2_317_848,
    ("mobilevit-s", 1000): 5_578_632,
    ("mobilenetv1-0.25", 2): 221_794,
    ("mobilenetv2-0.35", 2): 398_690,
    ("mobilenetv2", 1000): 3_504_872,
    ("mobilenetv3-small", 1000): 2_542_856,
    ("mobilenetv3-large", 1000): 5_483_032,
    # DeiT-Ti's 5,717,416 (arXiv 2012.12877) without a class token and learned positions.
    ("vit-tiny", 1000): 5_717_416 - 192 - 197 * 192,
}


@pytest.mark.parametrize(("name", "num_classes"), PARAMETERS)
def test_parameters(name: str, num_classes: int) -> None:
    graph = build_graph(named_network(name, num_classes=num_classes, resolution=224))
    assert sum(op.num_parameters for op in graph.ops) == PARAMETERS[name, num_classes]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_those_of_the_flax_network(name: str) -> None:
    spec = named_network(name, num_classes=7, resolution=64)
    model = stand_alone(spec)
    trees = [model.abstract_params, *([model.abstract_stats] if spec.counts_statistics else [])]
    expected = sum(leaf.size for leaf in jax.tree.leaves(trees))
    assert sum(op.num_parameters for op in build_graph(spec).ops) == expected


def test_every_name_is_counted() -> None:
    assert {name for name, _ in PARAMETERS} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "resolution", "channels", "expected"),
    [
        # MobileNetV2 paper, table 4 / MobileNetV3 paper, table 3 (millions, 1000 classes): the
        # published figures are rounded, and count V3's squeeze-and-excitation a little otherwise.
        ("mobilenetv2-0.35", 224, 3, 59e6),
        ("mobilenetv2", 224, 3, 300e6),
        ("mobilenetv3-small", 224, 3, 56e6),
        ("mobilenetv3-large", 224, 3, 219e6),
        # DeiT-Ti has 1.26e9 at 197 tokens.
        ("vit-tiny", 224, 3, 1.26e9),
        # MLPerf Tiny: 7.49M MACs at 96x96 with 2 classes; the classifier adds 0.26M here.
        ("mobilenetv1-0.25", 96, 3, 7.75e6),
    ],
)
def test_macs_are_the_published_ones(name: str, resolution: int, channels: int, expected: float) -> None:
    spec = named_network(name, num_classes=1000, resolution=resolution, channels=channels)
    num_macs = sum(op.num_macs for op in build_graph(spec).ops)
    assert num_macs == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_last_map_is_a_32nd_of_the_image_and_of_vit_a_16th(name: str) -> None:
    graph = build_graph(named_network(name, num_classes=2, resolution=224))
    pool = next(op for op in graph.ops if op.name == "head/pool")
    assert graph.shape(pool.inputs[0])[:2] == ((14, 14) if name == "vit-tiny" else (7, 7))


@pytest.mark.parametrize("name", NAMES)
def test_json_round_trip(name: str) -> None:
    spec = named_network(name, num_classes=2, resolution=96, channels=1)
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_mobilenet_v1_halves_the_map_four_times_after_the_stem() -> None:
    spec = named_network("mobilenetv1-0.25", num_classes=2, resolution=96)
    strides = [block.stride for block in spec.blocks if isinstance(block, SeparableSpec)]
    assert strides == [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]


@pytest.mark.parametrize(("side", "tokens", "expected"), [(224, 196, 1_246_563_840), (32, 4, 22_089_216)])
def test_vit_by_hand(side: int, tokens: int, expected: int) -> None:
    graph = build_graph(named_network("vit-tiny", num_classes=1000, resolution=side))
    layer = tokens * (192 * 576 + 192 * 192 + 2 * 192 * 768) + 2 * tokens**2 * 192
    assert tokens * 16 * 16 * 3 * 192 + 12 * layer + 192 * 1000 == expected
    assert sum(op.num_macs for op in graph.ops) == expected
    assert {op.shape for op in graph.ops if op.kind == "softmax"} == {(1, 3, tokens, tokens)}


def test_vit_takes_whole_patches_only() -> None:
    with pytest.raises(UserError, match=r"patch is 16, which does not divide .* 50 x 50 .* such as 64"):
        named_network("vit-tiny", num_classes=2, resolution=50)


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'hyt-nas-bl'") as error:
        named_network("HyTNAS-BL", num_classes=2, resolution=96)
    assert all(name in str(error.value) for name in NAMES)
