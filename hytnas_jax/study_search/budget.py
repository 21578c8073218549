"""How much of a table one search may evaluate, and how it begins; for the flags too: it needs no JAX."""

import dataclasses
from typing import Literal

InitialDesign = Literal["random", "ours"]


@dataclasses.dataclass(frozen=True)
class StudyBudget:
    """How much is evaluated: `evaluations` in all, the first `initial` of them chosen by `initial_design`."""

    evaluations: int
    initial: int
    initial_design: InitialDesign
