"""Peeling where the right removals are known, and where chance must not decide."""

import numpy as np
import pytest

from hytnas_jax.reduce_space import sample as sample_module
from hytnas_jax.reduce_space.box import Box
from hytnas_jax.reduce_space.peeling import Reduction, reduce_space, wilson_upper, worst_choice
from hytnas_jax.reduce_space.sample import NothingWithin, Sample
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

# Genes in this order: resolution, depth, expansion, width.
SPACE = SearchSpace(
    "box",
    (StageSpace(stride=1, depth=(1, 2, 3), expansion=(1, 2), width=(4, 6, 8, 10)),),
    resolution=(8, 12),
)
RESOLUTION, DEPTH, EXPANSION, WIDTH = range(4)


def reduced(is_within, share: float = 0.5, **options) -> Reduction:
    return reduce_space(SPACE, is_within, share=share, rng=np.random.default_rng(0), **options)


def small(genes: np.ndarray) -> np.ndarray:
    """Depth 1 or 2 and width 4 or 6: a third of the codes."""
    return (genes[:, DEPTH] < 2) & (genes[:, WIDTH] < 2)


def test_what_is_never_within_goes_and_nothing_else() -> None:
    found = reduced(small, share=1.0)
    # A third of the networks go with depth 3, a quarter with width 10: so much is gained for nothing.
    assert [(r.gene, r.choice) for r in found.removals] == [
        ("stage1.depth", 3),
        ("stage1.width", 10),
        ("stage1.width", 8),
    ]
    assert (found.space.name, found.space.resolution) == ("box-reduced", (8, 12))
    stage = found.space.stages[0]
    assert (stage.depth, stage.expansion, stage.width) == ((1, 2), (1, 2), (4, 6))
    assert np.isclose(found.share_before, 1 / 3, atol=0.02)
    assert found.share == found.removals[-1].share == 1.0
    assert np.isclose(found.recall, 1, atol=0.05)
    assert [round(r.share, 1) for r in found.removals] == [0.5, 0.7, 1.0]


def test_it_ends_with_the_share() -> None:
    found = reduced(small, share=0.6)
    assert [(r.gene, r.choice) for r in found.removals] == [("stage1.depth", 3), ("stage1.width", 10)]
    assert np.isclose(found.share, 2 / 3, atol=0.02)
    assert reduced(small, share=0.3).removals == ()


def test_the_last_choice_is_a_fixed_value() -> None:
    found = reduced(lambda genes: (genes[:, EXPANSION] == 0) & (genes[:, RESOLUTION] == 1), share=1.0)
    assert found.space.stages[0].expansion == (1,)
    assert found.space.resolution == (12,)
    assert [gene.name for gene in found.space.genes] == ["stage1.depth", "stage1.width"]


def test_recall_is_what_is_kept_of_those_within() -> None:
    """Within: all of expansion 1 with width 4, and one in six of the others; 7/24 in all."""
    lucky = np.random.default_rng(1).permutation(np.repeat([True, False, False, False, False, False], 8))

    def is_within(genes: np.ndarray) -> np.ndarray:
        index = np.ravel_multi_index(genes.T, SPACE.cardinalities)
        return ((genes[:, EXPANSION] == 0) & (genes[:, WIDTH] == 0)) | lucky[index]

    found = reduced(is_within, share=0.7)
    codes = np.stack(np.meshgrid(*map(np.arange, SPACE.cardinalities), indexing="ij"), -1).reshape(-1, 4)
    kept = np.ones(len(codes), bool)
    for removal in found.removals:
        index = [gene.name for gene in SPACE.genes].index(removal.gene)
        kept &= codes[:, index] != SPACE.genes[index].choices.index(removal.choice)
    within = is_within(codes)
    assert np.isclose(found.share_before, within.mean(), atol=0.02)
    assert np.isclose(found.share, within[kept].mean(), atol=0.02)
    assert np.isclose(found.recall, within[kept].sum() / within.sum(), atol=0.04)
    assert found.share >= 0.7
    assert found.recall < 0.9


def test_a_kept_gene_keeps_every_choice() -> None:
    found = reduced(small, share=0.6, keep=("depth",))
    assert {r.gene for r in found.removals} == {"stage1.width"}
    with pytest.raises(UserError, match=r"share=0\.9: 0\.6\d\d of the networks .* nothing is left"):
        reduced(small, share=0.9, keep=("stage1.depth", "resolution", "expansion"))


def test_an_interaction_alone_is_reduced_too() -> None:
    """No choice is better than another one until one is gone."""
    found = reduced(lambda genes: genes[:, RESOLUTION] != genes[:, EXPANSION], share=0.9)
    pair = (found.space.resolution, found.space.stages[0].expansion)
    assert pair in [((8,), (2,)), ((12,), (1,))]
    assert found.share == 1.0


def test_none_within_is_said() -> None:
    with pytest.raises(NothingWithin) as caught:
        reduced(lambda genes: np.zeros(len(genes), bool))
    assert sample_module.MOST_DRAWN <= caught.value.drawn < sample_module.MOST_DRAWN + sample_module.BATCH


def test_a_handful_decides_nothing() -> None:
    """Three networks within, all of them with width 4, are no evidence against the others."""
    count = 0

    def is_within(genes: np.ndarray) -> np.ndarray:
        nonlocal count
        found = np.zeros(len(genes), bool)
        if count < 3:
            found[np.flatnonzero(genes[:, WIDTH] == 0)[:1]] = True
        count += 1
        return found

    with pytest.raises(UserError, match=r"3 of 20\d+ networks drawn are within the limits: too few"):
        reduced(is_within)


def sample_of(counts: dict[tuple[int, int], tuple[int, int]]) -> Sample:
    """(depth, width) -> how many codes there are, and how many of them are within."""
    codes, within = [], []
    for (depth, width), (num, num_within) in counts.items():
        codes += [(0, depth, 0, width)] * num
        within += [index < num_within for index in range(num)]
    return Sample(np.array(codes), np.array(within), sum(within))


def test_the_choice_that_gains_most_for_its_loss_goes() -> None:
    """Of 60 networks 24 are within. Depth 3 has 20 and 4 of them: log(1 - 4/24) / log(1 - 20/60) = 0.450;
    width 10 has 10 and 2 of them: log(1 - 2/24) / log(1 - 10/60) = 0.477. At two standard errors they could
    have 42 and 52% of theirs, as the others do; of ten times as many networks they surely have less."""
    counts = {(2, 0): (20, 4), (0, 3): (10, 2), (0, 0): (15, 9), (1, 1): (15, 9)}
    box = Box.whole(SPACE)
    assert worst_choice(box, sample_of(counts), deviations=0) == (DEPTH, 2)
    assert worst_choice(box, sample_of(counts), keep=("depth",), deviations=0) == (WIDTH, 3)
    assert worst_choice(box, sample_of(counts)) is None
    tenfold = {key: (10 * num, 10 * found) for key, (num, found) in counts.items()}
    assert worst_choice(box, sample_of(tenfold)) == (DEPTH, 2)


def test_what_cost_every_network_within_stays() -> None:
    counts = {(0, 0): (50, 0), (2, 0): (10, 5)}
    assert worst_choice(Box.whole(SPACE), sample_of(counts), deviations=0) == (DEPTH, 0)


def test_wilson() -> None:
    assert wilson_upper(0, 4, 2) == 0.5  # (0 + 2 + 2 * 1) / 8
    assert wilson_upper(4, 4, 2) == 1.0  # (4 + 2 + 2 * 1) / 8
    assert wilson_upper(3, 12, 0) == 0.25


def test_what_is_left_of_a_sample() -> None:
    sample = sample_of({(0, 0): (4, 3), (1, 1): (4, 1)})
    assert (sample.share, sample.num_within, sample.is_fresh, sample.is_spent) == (0.5, 4, True, False)
    left = sample.without(WIDTH, 0)
    assert (left.share, left.num_within, left.is_fresh, left.is_spent) == (0.25, 1, False, True)


def test_the_same_seed_gives_the_same_and_all_is_watched() -> None:
    seen: list[tuple[int, str]] = []
    first = reduced(small, share=0.6, watch=lambda looked_at, how_far: seen.append((looked_at, how_far)))
    assert first == reduced(small, share=0.6)
    assert sum(looked_at for looked_at, _ in seen) >= first.drawn_before + first.drawn
    assert seen[0] == (sample_module.BATCH, "")
    assert seen[-1][1].startswith("2 choices taken away, 6")
