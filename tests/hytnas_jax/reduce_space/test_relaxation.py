"""Limits that are rarely kept: reached step by step, and what is said of them is true of new networks."""

import math

import numpy as np
import pytest

from hytnas_jax.reduce_space.peeling import reduce_space
from hytnas_jax.reduce_space.relaxation import _relaxed, reduce_by_limits
from hytnas_jax.reduce_space.sample import MOST_DRAWN, NothingWithin
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

STAGE = StageSpace(depth=(1, 2, 3, 4), expansion=(1, 2, 4), width=(8, 16, 24, 32, 48, 64))
SPACE = SearchSpace("deep", (STAGE, STAGE, STAGE), resolution=(32,))


def cost(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    """Made up: depth * expansion * width, summed over the stages."""
    columns = space.columns(codes)
    stages = [f"stage{number}." for number in (1, 2, 3)]
    return sum(columns[s + "depth"] * columns[s + "expansion"] * columns[s + "width"] for s in stages)


def reduced(limit: float, share: float = 0.5):
    rng = np.random.default_rng(0)
    ignore = {"keep": (), "watch": lambda looked_at, how_far: None}
    return reduce_by_limits(SPACE, lambda codes: cost(SPACE, codes) / limit, share=share, rng=rng, **ignore)


@pytest.mark.parametrize("limit", [40, 56])  # one code in 8,680 and one in 1,253
def test_rare_limits_are_reached(limit: float) -> None:
    found = reduced(limit)
    assert found.space.name == "deep-reduced"
    assert found.share_before == pytest.approx({40: 1 / 8680, 56: 1 / 1253}[int(limit)], rel=0.5)
    assert found.drawn_before >= MOST_DRAWN
    relaxed = [removal.relaxed for removal in found.removals]
    assert relaxed == sorted(relaxed, reverse=True)
    assert (relaxed[0] > 1, relaxed[-1]) == (True, 1)
    new = found.space.sample(np.random.default_rng(1), 5000)
    assert np.mean(cost(found.space, new) <= limit) == pytest.approx(found.share, abs=0.03)
    assert found.share >= 0.5


def test_recall_is_told_where_enough_are_within() -> None:
    assert math.isnan(reduced(40).recall)
    found = reduced(56)
    every = np.stack(np.meshgrid(*(np.arange(n) for n in SPACE.cardinalities), indexing="ij"), -1)
    costs = cost(SPACE, every.reshape(-1, len(SPACE.genes)))
    within = np.sum(costs <= 56)
    kept = np.stack(np.meshgrid(*(np.arange(n) for n in found.space.cardinalities), indexing="ij"), -1)
    still = np.sum(cost(found.space, kept.reshape(-1, len(found.space.genes))) <= 56)
    assert found.recall == pytest.approx(still / within, rel=0.35)


def test_common_limits_are_not_relaxed() -> None:
    rng, limit = np.random.default_rng(0), 300
    plain = reduce_space(SPACE, lambda codes: cost(SPACE, codes) <= limit, share=0.5, rng=rng)
    assert reduced(limit) == plain
    assert {removal.relaxed for removal in plain.removals} == {1.0}


def test_impossible_limits_are_refused() -> None:
    """The smallest network costs 3 * 8."""
    with pytest.raises(NothingWithin):
        reduced(23)
    assert np.isclose(reduced(24, share=0.9).share, 1.0)


def test_a_width_that_most_need_is_no_step() -> None:
    assert _relaxed(np.array([2.0, *[3.0] * 99])) == 2.0
    with pytest.raises(NothingWithin):
        _relaxed(np.full(10, 3.0))
