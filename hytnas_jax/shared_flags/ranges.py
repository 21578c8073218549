"""The range of every numeric flag, beside the flag: its help tells it, and `check_ranges` keeps it.

    epochs: Annotated[int, within(1, MOST_EPOCHS)] = 30

A tuple's range is that of each of its numbers; None, where a flag may be None, is always in range, and so is
a word that a flag takes in place of a number.
"""

import dataclasses
import numbers
import reprlib
import typing
from types import NoneType
from typing import Any

import tyro

from supernet.errors import UserError

# Far beyond what ends in a lifetime; a number above is a slip of the hand.
MOST_EPOCHS, MOST_NETWORKS, MOST_IMAGES, MOST_PROCESSES = 100_000, 100_000, 1_000_000_000, 4096
MOST_CLASSES, MOST_CHANNELS, MOST_BATCH = 100_000, 1024, 65_536
MOST_PIXELS = 4096  # as `supernet.space_validation` has it for a space's resolution
MOST_BITS = 32  # of a pixel's value, as `data.choosing` has it
MOST_BYTES = 10**15  # of parameters and multiply-accumulates too
MOST_MS = 600_000.0  # ten minutes, as `device.measure` has it for a measurement
MOST_MINUTES = 10_000_000.0  # twenty years
MOST_SEED = 2**31 - 1  # what every generator takes, and one more


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers from `low` (without it where it `is_open`) to `high`."""

    low: float
    high: float
    is_open: bool = False

    def __str__(self) -> str:
        return f"{'over ' if self.is_open else ''}{_shown(self.low)} to {_shown(self.high)}"

    def __call__(self, default: str) -> str:
        """What stands behind a flag's help: "(default: 3; 1 to 9)"."""
        return f"(default: {default}; {self})"

    def broken_by(self, value: Any, *, is_whole: bool) -> str | None:
        """What a value must be and is not, in words; None where it is in range."""
        kind = numbers.Integral if is_whole else numbers.Real
        if (
            isinstance(value, bool) or not isinstance(value, kind) or value != value
        ):  # NaN; an int may be huge
            return "a whole number" if is_whole else "a number"
        if value < self.low or (self.is_open and value == self.low):
            return f"{'over' if self.is_open else 'at least'} {_shown(self.low)}"
        return None if value <= self.high else f"at most {_shown(self.high)}"


def within(low: float, high: float) -> Any:
    """For `Annotated`: from `low` to `high`, both in the range."""
    return tyro.conf.arg(help_behavior_hint=Range(low, high))


def above(low: float, high: float) -> Any:
    """For `Annotated`: more than `low`, up to `high`."""
    return tyro.conf.arg(help_behavior_hint=Range(low, high, is_open=True))


SEED = within(0, MOST_SEED)


def check_ranges(config: Any) -> None:
    """Raises UserError for the first number in a command's config that is out of its range."""
    for name, (accepted, kinds) in ranges_of(type(config)).items():
        value, is_whole = getattr(config, name), float not in kinds
        words = sorted(kind for kind in kinds if isinstance(kind, str))
        if (value is None and NoneType in kinds) or (isinstance(value, str) and value in words):
            continue
        for number in value if tuple in kinds and isinstance(value, tuple | list) else (value,):
            broken = accepted.broken_by(number, is_whole=is_whole)
            if broken is not None:
                kind = "a whole number" if is_whole else "a number"
                flag = f"--{name.replace('_', '-')} {reprlib.repr(str(number))[1:-1]}"
                instead = "".join(f", or {word}" for word in words)
                raise UserError(f"{flag}: must be {broken}; give {kind} of {accepted}{instead}")


def ranges_of(config_type: type) -> dict[str, tuple[Range, set[type | str]]]:
    """Field -> its range, and what its type is made of; of those fields that have a range."""
    found = {}
    for name, hint in typing.get_type_hints(config_type, include_extras=True).items():
        for extra in getattr(hint, "__metadata__", ()):
            accepted = getattr(extra, "help_behavior_hint", None)
            if isinstance(accepted, Range):
                found[name] = (accepted, kinds_in(hint))
    return found


def kinds_in(hint: Any) -> set[type | str]:
    """What a type hint is made of: int and NoneType in `int | None`, tuple and int in `tuple[int, ...]`, int
    and "auto" in `int | Literal["auto"]`."""
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return set(parts)
    if not parts:
        return {hint} if isinstance(hint, type) else set()
    if typing.get_origin(hint) is typing.Annotated:
        return kinds_in(parts[0])
    several: set[type | str] = {tuple} if typing.get_origin(hint) is tuple else set()
    return several.union(*(kinds_in(part) for part in parts))


def _shown(number: float) -> str:
    power = len(f"{number:.0f}") - 1
    if power >= 6 and number == 10**power:
        return f"10^{power}"
    return str(int(number)) if number == int(number) else f"{number:g}"
