"""Parts of what is told about many files: a few of their names, or the nearest one."""

import difflib
from collections.abc import Iterable, Sequence


def some(names: Sequence[str], most: int = 3) -> str:
    """ "a, b, c and 4 more"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The names nearest to one that is not among them, else all."""
    names = list(names)
    lower = {other.lower(): other for other in names}
    near = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)]
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names) or 'none'}"
