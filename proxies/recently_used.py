"""A memory for large arrays that forgets what was not used for the longest time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import jax


class RecentlyUsed:
    """Trees of arrays by key, which together take at most `limit` bytes."""

    def __init__(self, limit: int):
        self._limit = limit
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """The value of `key`, computed where it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        value = compute()
        self._kept[key] = value
        self._bytes += _bytes(value)
        while self._bytes > self._limit:
            _, forgotten = self._kept.popitem(last=False)
            self._bytes -= _bytes(forgotten)
        return value


def _bytes(tree: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))
