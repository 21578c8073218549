"""A smaller space of which a given share of networks is within limits, by taking choices away one by one.

This is the peeling of PRIM (Friedman and Fisher 1999, "Bump hunting in high-dimensional data", Statistics and
Computing 9, 123-143): one choice of one gene at a time, from the whole space on. Choices are of unequal mass
(half of the networks are convolutions in a stage, a twelfth have one of twelve widths), and so what a removal
gains is divided by what it costs, as Kwakkel and Jaxa-Rozen (2016, Environmental Modelling & Software 79,
311-321) divide it by the mass that it takes away. Here both are of what is wanted, in logarithms, which add
up over the steps: the factor by which the share within the limits grows, and the share of the networks within
the limits that is lost. The choice is taken away that gains most for what it loses.
"""

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from hytnas_jax.numbers import counted
from hytnas_jax.reduce_space.box import Box
from hytnas_jax.reduce_space.sample import IsWithin, Sample
from supernet.errors import UserError
from supernet.search_space import SearchSpace

Watch = Callable[[int, str], None]  # networks looked at since it was called last, and how far the work is

DEVIATIONS = 2.0  # standard errors by which a choice must be worse than the others
FEW = 30  # networks within the limits below which chance is not told from effect


@dataclasses.dataclass(frozen=True)
class Removal:
    """One step: `choice` of `gene` was taken away. After it, the share of the networks left that is within
    the limits, and the recall (see `Reduction`): by the sample that decided, a little too good, or by the one
    drawn next. `relaxed`: how many times as wide as asked for the limits were (`relaxation`)."""

    gene: str
    choice: Any
    share: float
    recall: float
    relaxed: float = 1.0


@dataclasses.dataclass(frozen=True)
class Reduction:
    """A reduced space. `share` and `share_before`: of the codes that meet the constraints, those within the
    limits, by samples (of `drawn` and `drawn_before` networks) by which nothing had been taken away then;
    `recall`: of the whole space's codes within the limits, those that the reduced one still holds; NaN where
    that is not known."""

    space: SearchSpace
    removals: tuple[Removal, ...]
    share: float
    share_before: float
    recall: float
    drawn: int
    drawn_before: int


def reduce_space(
    space: SearchSpace,
    is_within: IsWithin,
    *,
    share: float = 0.5,
    keep: Collection[str] = (),
    rng: np.random.Generator,
    watch: Watch = lambda looked_at, how_far: None,
) -> Reduction:
    """Take choices away until `share` of the networks left are within the limits.

    A sample serves until half of its networks within the limits are gone; then one is drawn from what is
    left. It ends by a sample that has decided nothing.

    Args:
        is_within: whether networks are within the limits; tens of thousands are looked at.
        share: of the networks drawn uniformly from the reduced space, over 0 and at most 1.
        keep: genes, or families of genes, of which every choice is kept.
        watch: is told after every batch of networks and every removal.

    Raises:
        NothingWithin: no network of a large sample is within the limits.
        UserError: so few are that chance is not told from effect, or the share cannot be reached.
    """
    return Peeling(Box.whole(space), is_within, rng, watch).until(share, keep).result()


class Peeling:
    """How far it is: what is left, the sample at hand, what has been taken away."""

    def __init__(self, box: Box, is_within: IsWithin, rng: np.random.Generator, watch: Watch) -> None:
        """Draw a sample from what is left of a space. Raises NothingWithin."""
        self.box = box
        self.removals: list[Removal] = []
        self._is_within, self._rng, self._watch = is_within, rng, watch
        self._num_codes = self._codes_before = self.box.num_codes(rng)
        self.sample = self._before = self._drawn()

    def until(self, share: float, keep: Collection[str]) -> "Peeling":
        """Itself, when so much is gone as `reduce_space` takes away; arguments and errors as there."""
        while self.sample.share < share or not self.sample.is_fresh:
            sample = self.sample
            found = None
            if sample.share < share and not sample.is_spent:
                found = worst_choice(self.box, sample, keep=keep)
            if found is None and not sample.is_fresh:
                self.draw()
            else:
                self.remove(*(found or _fallback(self.box, sample, share, keep)))
        return self

    def draw(self) -> None:
        """A new sample from what is left; share and recall of the last removal are taken from it."""
        self.sample = self._drawn()
        self._num_codes = self.box.num_codes(self._rng)
        last = self.removals[-1]
        self.removals[-1] = dataclasses.replace(last, share=self.sample.share, recall=self._recall())

    def remove(self, gene: int, choice: int) -> None:
        """Take one choice away, from the box and from the sample."""
        whole = self.box.space.genes[gene]
        self.box, num_networks = self.box.without(gene, choice), len(self.sample.codes)
        self.sample = self.sample.without(gene, choice)
        self._num_codes *= len(self.sample.codes) / num_networks
        share, recall = self.sample.share, self._recall()
        self.removals.append(Removal(whole.name, whole.choices[choice], share, recall))
        self._watch(0, self._how_far())

    def result(self) -> Reduction:
        """What has come out of it, by the sample at hand."""
        space = self.box.to_space(f"{self.box.space.name}-reduced")
        before, after = self._before, self.sample
        recall = self._recall()
        drawn, drawn_before = len(after.codes), len(before.codes)
        return Reduction(space, tuple(self.removals), after.share, before.share, recall, drawn, drawn_before)

    def _recall(self) -> float:
        """Codes within the limits now, over those before."""
        now, before = self._num_codes * self.sample.share, self._codes_before * self._before.share
        return min(1.0, now / before)

    def _drawn(self) -> Sample:
        return Sample.draw(self.box, self._is_within, self._rng, lambda n: self._watch(n, self._how_far()))

    def _how_far(self) -> str:
        if not self.removals:
            return ""
        share = self.removals[-1].share
        return f"{len(self.removals)} choices taken away, {100 * share:.1f}% within the limits"


def worst_choice(
    box: Box, sample: Sample, *, keep: Collection[str] = (), deviations: float = DEVIATIONS
) -> tuple[int, int] | None:
    """The (gene, choice) whose removal gains most share for the recall that it loses; None if none gains.

    Of the networks with a choice, the share within the limits is taken at the upper end of Wilson's interval
    (1927, J. Am. Stat. Assoc. 22, 209-212) of so many `deviations`: a choice goes only on evidence. With
    `deviations` 0 it is the best guess, whatever it gains.
    """
    best, least = None, 1.0 if deviations else np.inf
    for gene, choice in box.removable(keep):
        has_it = sample.codes[:, gene] == choice
        count, found = int(has_it.sum()), int(sample.within[has_it].sum())
        if not 0 < count < len(has_it) or found == sample.num_within:
            continue
        lost = count * wilson_upper(found, count, deviations) / sample.num_within
        if lost < 1:
            cost = np.log1p(-lost) / np.log1p(-count / len(has_it))  # below 1, the share grows
            if cost < least:
                best, least = (gene, choice), cost
    return best


def wilson_upper(found: int, count: int, deviations: float) -> float:
    """Upper end of Wilson's interval for the share that `found` of `count` are."""
    square = deviations**2
    spread = deviations * np.sqrt(found * (count - found) / count + square / 4)
    return float((found + square / 2 + spread) / (count + square))


def _fallback(box: Box, sample: Sample, share: float, keep: Collection[str]) -> tuple[int, int]:
    """What to take away where no choice is surely worse than the others. Raises UserError."""
    if sample.num_within < FEW:
        drawn = f"of {counted(len(sample.codes), 'network')} drawn"
        raise UserError(
            f"{counted(sample.num_within, f'{drawn} is', f'{drawn} are')} within the limits: too few to "
            "tell which choices keep the others from it; loosen the limits"
        )
    found = worst_choice(box, sample, keep=keep, deviations=0.0)
    if found is None:
        raise UserError(
            f"share={share}: {sample.share:.3f} of the networks are within the limits, and nothing is left "
            "that may be taken away; give a smaller share, loosen the limits, or keep less"
        )
    return found
