"""Limits that hardly any network of a space is within: reached through wider ones, one after the other.

Of two hundred thousand networks perhaps three are within, and chance alone says what these have in common.
So choices are first taken away by limits so many times as wide that one network in twenty is within; of what
is left the limits can be narrower, until they are those that were asked for.
"""

import dataclasses
import math
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.reduce_space.box import Box
from hytnas_jax.reduce_space.peeling import FEW, Peeling, Reduction, Removal, Watch
from hytnas_jax.reduce_space.sample import NothingWithin
from supernet.search_space import SearchSpace

Times = Callable[[NDArray[np.int64]], NDArray[np.float64]]  # codes [N, G] -> needed / allowed [N]

RARE = 300  # networks within the limits, of all that a sample draws, below which limits are relaxed
DRAWN = 10_000  # networks by which it is known how wide the limits have to be
WITHIN = 0.05  # of them, those that are to be within the wide limits
ENOUGH = 0.01  # of them, within the limits themselves: those need not be wider
WIDE_SHARE = 0.5  # of the networks that are left, within the wide limits


def reduce_by_limits(
    space: SearchSpace,
    times: Times,
    *,
    share: float,
    keep: Collection[str],
    rng: np.random.Generator,
    watch: Watch,
) -> Reduction:
    """`reduce_space`, whose arguments these are, for limits of any rarity.

    Args:
        times: how many times as much as allowed networks need.

    Raises:
        NothingWithin: neither a network of a large sample nor the space's smallest ones are within.
        UserError: nothing is left that may be taken away.
    """
    whole, is_within = Box.whole(space), _within(times, 1.0)
    try:
        peeling = Peeling(whole, is_within, rng, watch)
        found, drawn = peeling.sample.num_within, len(peeling.sample.codes)
        if found >= RARE:
            return peeling.until(share, keep).result()
    except NothingWithin as nothing:
        corners = space.corners()
        if not len(corners) or not is_within(corners).any():
            raise
        found, drawn = 0, nothing.drawn
    box, removals = _relax(whole, times, keep=keep, rng=rng, watch=watch)
    peeling = Peeling(box, is_within, rng, watch).until(share, keep)
    removals += [dataclasses.replace(removal, recall=math.nan) for removal in peeling.removals]
    last, recall = peeling.result(), math.nan
    if found >= FEW:
        codes = peeling.box.num_codes(rng) / whole.num_codes(rng)
        recall = min(1.0, codes * last.share * drawn / found)
    return dataclasses.replace(
        last, removals=tuple(removals), share_before=found / drawn, recall=recall, drawn_before=drawn
    )


def _relax(
    box: Box, times: Times, *, keep: Collection[str], rng: np.random.Generator, watch: Watch
) -> tuple[Box, list[Removal]]:
    """What is left once the limits need not be wide any more, and what was taken away for it."""
    removals = list[Removal]()
    while True:
        needed = times(box.draw(rng, DRAWN))
        watch(DRAWN, f"{len(removals)} choices taken away")
        if np.mean(needed <= 1) >= ENOUGH:
            return box, removals
        relaxed = _relaxed(needed)
        peeling = Peeling(box, _within(times, relaxed), rng, watch).until(WIDE_SHARE, keep)
        removals += [
            dataclasses.replace(removal, recall=math.nan, relaxed=relaxed) for removal in peeling.removals
        ]
        box = peeling.box


def _relaxed(needed: NDArray[np.float64]) -> float:
    """How wide the limits have to be, by what networks need [N]. Raises NothingWithin where none helps."""
    relaxed = np.quantile(needed, WITHIN)
    if np.mean(needed <= relaxed) >= WIDE_SHARE:  # many need the same
        less = needed[needed < relaxed]
        if not len(less):
            raise NothingWithin(len(needed))
        relaxed = less.max()
    return float(relaxed)


def _within(times: Times, relaxed: float) -> Callable[[NDArray[np.int64]], NDArray[np.bool_]]:
    """Whether codes [N, G] are within limits so many times as wide: bool [N]."""
    return lambda genes: times(genes) <= relaxed
