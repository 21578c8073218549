"""Networks drawn from what is left of a space, and which are within limits. Letters: N codes, G genes."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.reduce_space.box import Box

IsWithin = Callable[[NDArray[np.int64]], NDArray[np.bool_]]  # codes [N, G] -> whether within the limits [N]

ENOUGH = 1000  # networks within the limits, in a sample by which choices are taken away
LEAST_DRAWN, MOST_DRAWN = 10_000, 200_000  # networks in such a sample
BATCH = 4096  # networks looked at at once


class NothingWithin(Exception):
    """None of `drawn` networks is within the limits."""

    def __init__(self, drawn: int) -> None:
        super().__init__(f"none of {drawn} networks is within the limits")
        self.drawn = drawn


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """Codes [N, G] drawn uniformly from a box, whether each is within the limits [N], and how many were when
    it was drawn. What is left of it after a removal is a sample of what is left of the box; it is no longer
    fresh then: what has been chosen by a sample looks good in it."""

    codes: NDArray[np.int64]
    within: NDArray[np.bool_]
    num_first: int
    is_fresh: bool = True

    @staticmethod
    def draw(
        box: Box, is_within: IsWithin, rng: np.random.Generator, watch: Callable[[int], None]
    ) -> "Sample":
        """At least `LEAST_DRAWN`, and until `ENOUGH` are within the limits or `MOST_DRAWN` were drawn.

        Raises NothingWithin.
        """
        codes, within = [], []
        drawn = found = 0
        while drawn < LEAST_DRAWN or (found < ENOUGH and drawn < MOST_DRAWN):
            codes.append(box.draw(rng, BATCH))
            within.append(is_within(codes[-1]))
            drawn, found = drawn + BATCH, found + int(within[-1].sum())
            watch(BATCH)
        if not found:
            raise NothingWithin(drawn)
        return Sample(np.concatenate(codes), np.concatenate(within), found)

    @property
    def num_within(self) -> int:
        return int(self.within.sum())

    @property
    def share(self) -> float:
        """Of the networks, those within the limits."""
        return float(self.within.mean())

    @property
    def is_spent(self) -> bool:
        """Whether half of its networks within the limits are gone."""
        return 2 * self.num_within < self.num_first

    def without(self, gene: int, choice: int) -> "Sample":
        """What is left of it."""
        kept = self.codes[:, gene] != choice
        return Sample(self.codes[kept], self.within[kept], self.num_first, is_fresh=False)
