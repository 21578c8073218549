"""The parts of `benchmarks.on_gpu`: in which call each is, how long it may take, what it needs.

Imports nothing that takes long: the process that starts the parts must leave the GPU to them.
"""

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from benchmarks.on_gpu.packages import MAIN_JOB, PEER, missing

PartName = Literal["equality", "beside_pytorch", "rates", "population", "beside_compiled_pytorch", "main_job"]
Call = Literal["1", "2", "3", "all"]
LEAST = 0.3  # of its seconds, below which a part is not begun


@dataclasses.dataclass(frozen=True)
class Part:
    """`function` is "module:name" in this folder and takes a `Run`; `needs` are modules that not all parts
    need."""

    name: PartName
    call: Call
    seconds: int
    function: str
    needs: tuple[str, ...] = ()

    def measure(self) -> Callable[[Any], None]:
        """The function, its module imported only now."""
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(f"benchmarks.on_gpu.{module}"), name)

    def missing(self) -> list[str]:
        """The modules that it needs and this Python does not have."""
        return missing(self.needs)


# Those of a call in the order of their importance. The seconds of a call's parts are what a call has.
PARTS = (
    Part("equality", "1", 190, "equality:measure"),
    Part("beside_pytorch", "1", 330, "beside:eager", tuple(PEER)),
    Part("rates", "2", 170, "rates:measure"),
    Part("population", "2", 120, "population:measure"),
    Part("beside_compiled_pytorch", "2", 230, "beside:compiled", tuple(PEER)),
    Part("main_job", "3", 520, "main_job:measure", tuple(MAIN_JOB)),
)
CALLS: tuple[Call, ...] = ("1", "2", "3")
assert {part.name for part in PARTS} == set(get_args(PartName))


def part_of(name: PartName) -> Part:
    """The part of this name."""
    return next(part for part in PARTS if part.name == name)


def parts_of(call: Call) -> list[Part]:
    """Those of a call in their order."""
    return [part for part in PARTS if part.call == call]


def allowed_seconds(left: float, part: Part, later: Sequence[Part]) -> float:
    """What a part may take of what is left of its call: its own seconds, and what those before it have saved.

    0 where that is too little to begin.
    """
    allowed = max(min(part.seconds, left), left - sum(other.seconds for other in later))
    return allowed if allowed >= LEAST * part.seconds else 0.0
