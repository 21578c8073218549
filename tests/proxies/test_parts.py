"""Parts by hand, and their sums against whole networks."""

import functools

import numpy as np
import pytest
from all_spaces import SPACES
from tiny_space import SPACE

from proxies.parts import Part, PartUses, part_uses
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.graph import build_graph
from supernet.network_spec import MobileViTSpec
from supernet.spaces import built_in_space

to_spec = functools.partial(SPACE.network_spec, num_classes=3, channels=1)


def member(**genes: object) -> Architecture:
    values = {gene.name: gene.choices[0] for gene in SPACE.genes}
    values |= {name.replace("_", ".", 1): value for name, value in genes.items()}
    return SPACE.from_json({"space": "tiny", "genes": values})


def places_of(*architectures: Architecture) -> list[PartUses]:
    return list(part_uses(architectures, to_spec))


def part_of(uses: PartUses) -> Part:
    """The first architecture's."""
    return uses.known.parts[uses.index[0]]


def test_the_places_of_a_convolution_and_an_attention_stage() -> None:
    deep, attending = member(stage1_depth=2), member(stage1_block="attention", stage1_depth=2)
    stem, first, more, around, layers, *_, head = places_of(deep, attending)
    for same in (stem, first, head):
        assert same.who.tolist() == [0, 1]
        assert same.index[0] == same.index[1]
        assert same.times.tolist() == [1, 1]
    assert (more.who.tolist(), more.times.tolist()) == ([0], [1])
    assert (around.who.tolist(), around.times.tolist()) == ([1], [1])
    assert (layers.who.tolist(), layers.times.tolist()) == ([1], [2])
    assert part_of(stem).ops[0].name == "blocks/0/conv"
    assert {op.name.split("/")[2] for op in part_of(layers).ops} == {"layers"}
    assert not any("layers" in op.name for op in part_of(around).ops)
    # The image, and the map of 7x7 pixels and 4 channels that the whole first stage reads.
    assert [u.input_size[0] for u in (stem, first, more, around, layers)] == [49, 196, 196, 196, 196]


def test_a_layer_is_the_same_whatever_the_width_and_the_depth() -> None:
    attention = functools.partial(member, stage1_block="attention")
    layers = places_of(attention(), attention(stage1_width=6, stage1_depth=2), attention(stage1_embed=8))[4]
    assert layers.index[0] == layers.index[1] != layers.index[2]
    assert layers.times.tolist() == [1, 2, 1]
    assert layers.input_size.tolist() == [196, 294, 196]


def test_parts_are_kept_from_one_call_to_the_next() -> None:
    counted: list[Part] = []
    for embed in (4, 8, 4):
        uses = places_of(member(stage1_block="attention", stage1_embed=embed))[4]
        assert uses.counted(lambda part: len(part.ops)).tolist() == [len(part_of(uses).ops)]
        uses.counted(counted.append)
    assert len(counted) == len(uses.known.parts)


@pytest.mark.parametrize("name", SPACES)
def test_operations_add_up_to_those_of_the_whole_network(name: str) -> None:
    space = SPACES[name]
    architectures = space.decode_all(space.sample(np.random.default_rng(1), 20))
    of_space = functools.partial(space.network_spec, num_classes=3)
    counted = np.zeros(len(architectures), np.int64)
    for uses in part_uses(architectures, of_space):
        counted[uses.who] += uses.times * uses.counted(lambda part: len(part.ops))
    assert counted.tolist() == [len(build_graph(of_space(a)).ops) for a in architectures]


def test_of_several_spaces_nothing_is_shared() -> None:
    small = built_in_space("hybrid-small")
    other = small.decode_all(small.sample(np.random.default_rng(0), 1))[0]
    with pytest.raises(UserError, match=r"architectures of 2 spaces \(hybrid-small, tiny\)"):
        places_of(member(), other)
    assert places_of() == []


def test_networks_of_another_make_are_refused() -> None:
    attending = member(stage1_block="attention")
    assert isinstance(to_spec(attending).blocks[2], MobileViTSpec)
    with pytest.raises(ValueError, match="to_spec is not the space's"):
        list(part_uses([attending], lambda _: to_spec(member())))
