"""`pareto.json`, what a search ends with: the one way of reading it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hytnas_jax.files.atomic import read_json
from hytnas_jax.workspace.workdir import Step

FILE = "pareto.json"


@dataclasses.dataclass(frozen=True)
class SearchObjective:
    """`direction` is "min" or "max"."""

    name: str
    unit: str
    direction: str


@dataclasses.dataclass(frozen=True)
class ParetoFile:
    """The objectives; the hypervolume's corner by objective; the networks on the front, and those behind it.

    A network has "name", "architecture", "index", "values", "std"; one on the front also what `ParetoPoint`
    has.
    """

    objectives: tuple[SearchObjective, ...]
    reference: Mapping[str, float]
    front: Sequence[Mapping[str, Any]]
    behind: Sequence[Mapping[str, Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the objectives."""
        return tuple(objective.name for objective in self.objectives)


def read_pareto(step: Step) -> ParetoFile:
    """What the search of a step has ended with. Raises UserError where it has not ended."""
    step.require("search")
    data = read_json(step.folder / FILE)
    objectives = tuple(SearchObjective(**objective) for objective in data["objectives"])
    return ParetoFile(objectives, data["reference"], data["architectures"], data["behind"])
