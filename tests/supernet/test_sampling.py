"""The largest first, random ones, in the sandwich the smallest too, all of one resolution."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from supernet.architecture import StageChoice
from supernet.sampling import sandwich
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

SPACE = SearchSpace(
    "two",
    (
        # Choices in no order: the largest is the largest number, not the last.
        StageSpace(stride=1, depth=(1, 2), expansion=(4, 1, 2), kernel=(3, 5), width=(8, 4)),
        StageSpace(
            block=("conv", "attention"),
            depth=(1, 3),
            width=(8, 12),
            embed=(4, 8),
            heads=(1, 2),
            ffn_ratio=(1, 2),
            patch=(1, 2),
        ),
    ),
    resolution=(8, 12),
    stem_width=4,
    stem_stride=1,
)


def draw(seed: int, **changes: Any) -> list[Any]:
    given = {"num_random": 2, "resolution": 12, **changes}
    return sandwich(SPACE, np.random.default_rng(seed), **given)


@pytest.mark.parametrize("num_random", [1, 2, 5])
@pytest.mark.parametrize("resolution", [8, 12])
def test_its_size_and_resolution(num_random: int, resolution: int) -> None:
    drawn = draw(0, num_random=num_random, resolution=resolution)
    assert len(drawn) == 2 + num_random
    assert {architecture.resolution for architecture in drawn} == {resolution}


def test_the_largest_and_the_smallest_by_hand() -> None:
    attention = {"embed": 8, "heads": 2, "ffn": 16, "patch": 1}
    largest = {
        "conv": StageChoice("conv", 3, 12, 1, 3),
        "attention": StageChoice("attention", 3, 12, 1, 3, **attention),
    }
    smallest = {
        "conv": StageChoice("conv", 1, 8, 1, 3),
        "attention": StageChoice("attention", 1, 8, 1, 3, embed=4, heads=1, ffn=4, patch=2),
    }
    kinds = set()
    for seed in range(20):
        first, second, *_ = draw(seed)
        assert first.stages[0] == StageChoice("conv", 2, 8, 4, 5)
        assert second.stages[0] == StageChoice("conv", 1, 4, 1, 3)
        assert first.stages[1] == largest[first.stages[1].block]
        assert second.stages[1] == smallest[second.stages[1].block]
        kinds.add((first.stages[1].block, second.stages[1].block))
    assert len(kinds) == 4  # convolution and attention share both


def test_the_largest_attends_even_where_a_patch_may_fill_the_map() -> None:
    space = dataclasses.replace(
        SPACE, stages=(SPACE.stages[0], dataclasses.replace(SPACE.stages[1], patch=(2, 8)))
    )
    for seed in range(10):
        first, *_ = sandwich(space, np.random.default_rng(seed), num_random=1, resolution=8)
        if first.stages[1].block == "attention":
            assert (first.stages[1].patch, first.stages[1].heads) == (2, 2)


def test_the_random_ones_vary_and_a_seed_draws_the_same() -> None:
    assert draw(3) == draw(3)
    assert len({architecture for seed in range(10) for architecture in draw(seed)[2:]}) > 15


def test_the_random_ones_keep_the_constraints() -> None:
    space = dataclasses.replace(SPACE, constraints=("stage1.width < stage2.width",))
    drawn = sandwich(space, np.random.default_rng(0), num_random=30, resolution=8)[2:]
    assert all(a.stages[0].width < a.stages[1].width for a in drawn)


def test_a_space_of_one_resolution() -> None:
    space = SPACE.with_resolutions((8,))
    drawn = sandwich(space, np.random.default_rng(0), num_random=1, resolution=8)
    assert [architecture.resolution for architecture in drawn] == [8, 8, 8]
