"""Parts of what is told about many files: a few of them, and how many there are."""

import difflib
from collections.abc import Iterable, Sequence

_NAMED = 3


def some(names: Sequence[str]) -> str:
    """ "a, b, c and 4 more"."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """ "1 box", "2 boxes"."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The names nearest to one that is not among them, else all."""
    names = list(names)
    lower = {other.lower(): other for other in names}
    near = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names) or 'none'}"
