"""What is left of a space while choices are taken away: of every gene, some of its choices.

Letters: N codes, G genes. Codes are those of the whole space, whatever has been taken away.
"""

import dataclasses
import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.stage_space import ATTENTION_FAMILIES

COUNTED = 2**16  # codes by which it is estimated how many meet the constraints


@dataclasses.dataclass(frozen=True)
class Box:
    """A part of `space`: `left` has for each gene the indices of the choices that are left, at least one."""

    space: SearchSpace
    left: tuple[tuple[int, ...], ...]

    @staticmethod
    def whole(space: SearchSpace) -> "Box":
        """Every choice of every gene."""
        return Box(space, tuple(tuple(range(len(gene.choices))) for gene in space.genes))

    def without(self, gene: int, choice: int) -> "Box":
        """The box without one choice (an index, as in `left`) of a gene."""
        kept = tuple(index for index in self.left[gene] if index != choice)
        return Box(self.space, (*self.left[:gene], kept, *self.left[gene + 1 :]))

    def removable(self, keep: Collection[str] = ()) -> list[tuple[int, int]]:
        """What may be taken away next, (gene, choice): of a number its least or greatest, of a kind any.

        So numbers keep a range, as PRIM's do. Left out are genes of attention where a stage has none left,
        what makes the space impossible, and the genes or families that `keep` names.
        """
        found = []
        for index, gene in enumerate(self.space.genes):
            left = self.left[index]
            if len(left) < 2 or self._is_idle(gene.name) or {gene.name, gene.family} & set(keep):
                continue
            ends = left
            if not isinstance(gene.choices[0], str):
                ends = (min(left, key=gene.choices.__getitem__), max(left, key=gene.choices.__getitem__))
            found += [(index, choice) for choice in ends if self.without(index, choice).is_possible()]
        return found

    def is_possible(self) -> bool:
        """Whether the box is a space by itself."""
        try:
            self.to_space(self.space.name)
        except UserError:
            return False
        return True

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """`count` codes [count, G] drawn uniformly from those of the box that meet the constraints.

        They are not canonical: a gene that changes nothing has every choice as often as any other.

        Raises:
            UserError: the constraints leave so little that a bounded number of draws found too few.
        """
        return self.space.meeting(lambda size: self._draw_any(rng, size), count)

    def num_codes(self, rng: np.random.Generator) -> float:
        """How many codes of the box meet the constraints; where there are some, estimated from a sample."""
        total = math.prod(len(left) for left in self.left)
        if not self.space.constraints:
            return float(total)
        met = int(self.space.satisfied(self._draw_any(rng, COUNTED)).sum())
        return total * (met + 1) / (COUNTED + 1)  # never none

    def to_space(self, name: str) -> SearchSpace:
        """The box as a space of its own. Raises UserError where it is none (`space_validation`)."""
        choices: dict[str, Any] = {
            gene.name: tuple(gene.choices[index] for index in left)
            for gene, left in zip(self.space.genes, self.left, strict=True)
        }
        stages = []
        for number, stage in enumerate(self.space.stages, 1):
            prefix = f"stage{number}."
            fields = {n.removeprefix(prefix): kept for n, kept in choices.items() if n.startswith(prefix)}
            if "attention" in stage.block and "attention" not in fields.get("block", stage.block):
                fields |= dict.fromkeys(ATTENTION_FAMILIES, ())
            stages.append(dataclasses.replace(stage, **fields))
        of_head = {n.removeprefix("head."): kept for n, kept in choices.items() if n.startswith("head.")}
        head = self.space.dense_head
        return dataclasses.replace(
            self.space,
            name=name,
            stages=tuple(stages),
            resolution=choices.get("resolution", self.space.resolution),
            dense_head=None if head is None else dataclasses.replace(head, **of_head),
        )

    def _draw_any(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Codes [count, G], whether they meet the constraints or not."""
        columns = [np.array(left)[rng.integers(0, len(left), count)] for left in self.left]
        return np.array(columns, np.int64).reshape(len(self.left), count).T

    def _is_idle(self, name: str) -> bool:
        """Whether the gene is one of attention in a stage that has no attention left."""
        stage, _, family = name.partition(".")
        names = [gene.name for gene in self.space.genes]
        if family not in ATTENTION_FAMILIES or f"{stage}.block" not in names:
            return False
        block = names.index(f"{stage}.block")
        return all(self.space.genes[block].choices[index] != "attention" for index in self.left[block])
