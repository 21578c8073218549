"""A memory for large arrays that forgets what is least likely to be asked for again."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from typing import Any

import jax


class RecentlyUsed:
    """Trees of arrays by key, which together take at most `limit` bytes.

    Of the highest rank, what was not used for the longest time is forgotten first.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._kept: defaultdict[int, OrderedDict[Hashable, Any]] = defaultdict(OrderedDict)  # by rank
        self._bytes = 0

    def get(self, key: Hashable, compute: Callable[[], Any], *, rank: int = 0) -> Any:
        """The value of `key`, computed where it is not kept. A key has one rank for good."""
        kept = self._kept[rank]
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
        value = kept[key] = compute()
        self._bytes += _bytes(value)
        while self._bytes > self._limit:
            highest = self._kept[max(rank for rank, of_rank in self._kept.items() if of_rank)]
            _, forgotten = highest.popitem(last=False)
            self._bytes -= _bytes(forgotten)
        return value


def _bytes(tree: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))
