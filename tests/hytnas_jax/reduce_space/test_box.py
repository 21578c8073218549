"""What may be taken away from a space, and what is left of it."""

import dataclasses

import numpy as np
import pytest
from tiny_space import SPACE as TINY

from hytnas_jax.reduce_space.box import Box
from hytnas_jax.workspace.space_file import load_space, space_text
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace


def index_of(space: SearchSpace, name: str) -> int:
    return [gene.name for gene in space.genes].index(name)


def without(box: Box, name: str, choice: object) -> Box:
    index = index_of(box.space, name)
    return box.without(index, box.space.genes[index].choices.index(choice))


def removable(box: Box, keep: tuple[str, ...] = ()) -> dict[str, list]:
    found: dict[str, list] = {}
    for index, choice in box.removable(keep):
        gene = box.space.genes[index]
        found.setdefault(gene.name, []).append(gene.choices[choice])
    return found


def test_numbers_lose_their_ends_and_kinds_any() -> None:
    space = SearchSpace(
        "ends",
        (
            StageSpace(
                block=("conv", "attention"),
                width=(8, 4, 6),  # in any order
                embed=(4,),
                heads=(1,),
                ffn_ratio=(1,),
                patch=(2,),
            ),
        ),
        resolution=(8, 12, 16, 24),
    )
    expected = {"resolution": [8, 24], "stage1.block": ["conv", "attention"], "stage1.width": [4, 8]}
    assert removable(Box.whole(space)) == expected
    box = without(without(Box.whole(space), "stage1.width", 8), "stage1.width", 4)
    assert "stage1.width" not in removable(box)  # one is left
    assert removable(Box.whole(space), ("block", "resolution")) == {"stage1.width": [4, 8]}
    assert removable(Box.whole(space), ("stage1.block",)).keys() == {"resolution", "stage1.width"}


def test_what_is_left_is_a_space_that_a_file_holds(tmp_path) -> None:
    box = without(without(Box.whole(TINY), "stage1.width", 6), "stage2.growth", 1.5)
    space = box.to_space("less")
    first, second = TINY.stages
    expected = (dataclasses.replace(first, width=(4,)), dataclasses.replace(second, growth=(1,)))
    assert space == dataclasses.replace(TINY, name="less", stages=expected)
    assert len(space.genes) == len(TINY.genes) - 2
    (tmp_path / "less.yaml").write_text(space_text(space, comment="Made by hand\nof two lines"))
    assert (tmp_path / "less.yaml").read_text().startswith("# Made by hand\n# of two lines\nname: less\n")
    assert load_space(str(tmp_path / "less.yaml")) == space


def test_a_stage_without_attention_has_no_genes_of_it() -> None:
    box = without(Box.whole(TINY), "stage1.block", "attention")
    assert not {"stage1.embed", "stage1.heads", "stage1.ffn_ratio", "stage1.patch"} & removable(box).keys()
    assert {"stage2.heads", "stage2.patch", "stage1.depth"} <= removable(box).keys()  # it has no kinds
    stage = box.to_space("conv").stages[0]
    assert (stage.block, stage.embed, stage.heads, stage.patch) == (("conv",), (), (), ())


def test_a_removal_that_no_space_allows_is_none() -> None:
    """2 does not divide 3, so 6 cannot go before one of them."""
    stage = StageSpace(
        block=("attention",), width=(8,), embed=(6, 12), heads=(1, 2, 3, 6), ffn_ratio=(1,), patch=(2,)
    )
    box = Box.whole(SearchSpace("heads", (stage,), resolution=(8,)))
    assert removable(box) == {"stage1.embed": [6, 12], "stage1.heads": [1]}
    box = without(without(box, "stage1.heads", 1), "stage1.heads", 2)
    assert removable(box)["stage1.heads"] == [3, 6]
    assert not without(Box.whole(box.space), "stage1.heads", 6).is_possible()


def test_codes_are_drawn_from_what_is_left_and_meet_the_constraints() -> None:
    stages = (StageSpace(stride=1, width=(4, 8, 12)), StageSpace(width=(4, 8, 12), depth=(1, 2)))
    space = SearchSpace("grow", stages, resolution=(8,), constraints=("stage1.width < stage2.width",))
    box = Box.whole(space)
    rng = np.random.default_rng(0)
    depth, first, second = box.draw(rng, 9000).T
    assert (first < second).all()
    pairs = np.bincount(3 * first + second, minlength=9)  # 3 of 9, each as often
    assert np.allclose(pairs[[1, 2, 5]] / 9000, 1 / 3, atol=0.03)
    assert np.isclose(depth.mean(), 0.5, atol=0.03)
    assert np.isclose(box.num_codes(rng), 6, atol=0.3)
    box = without(box, "stage1.width", 12)
    assert np.isclose(box.num_codes(rng), 6, atol=0.3)
    box = without(box, "stage2.width", 4)
    assert set(box.draw(rng, 1000)[:, 2]) == {1, 2}
    assert box.to_space("less").constraints == space.constraints
    nothing = without(without(box, "stage2.width", 12), "stage1.width", 4)
    assert not nothing.is_possible()  # 8 is not below 8
    with pytest.raises(UserError, match=r"0 meet them and 5 are needed; loosen them"):
        nothing.draw(rng, 5)


def test_numbers_of_codes_are_exact_without_constraints() -> None:
    assert Box.whole(TINY).num_codes(np.random.default_rng(0)) == TINY.num_codes
