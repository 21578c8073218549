"""What is kept, and what is forgotten."""

import numpy as np

from proxies.evaluation.recently_used import RecentlyUsed


def test_forgets_what_was_not_used_for_the_longest_time() -> None:
    computed = []

    def get(kept: RecentlyUsed, key: int) -> list[np.ndarray]:
        def compute() -> list[np.ndarray]:
            computed.append(key)
            return [np.full(2, key, np.float32)]  # 8 bytes

        return kept.get(key, compute)

    kept = RecentlyUsed(limit=16)
    for key in (1, 2, 1, 3, 1, 2):  # 3 takes the place of 2, then 2 that of 3
        assert get(kept, key)[0].tolist() == [key, key]
    assert computed == [1, 2, 3, 2]


def test_forgets_the_highest_rank_first() -> None:
    kept = RecentlyUsed(limit=16)
    first, second, third = (np.full(2, number, np.float32) for number in range(3))  # 8 bytes each
    kept.get("early", lambda: first, rank=1)
    kept.get("late", lambda: second, rank=2)
    kept.get("later", lambda: third, rank=2)
    assert kept.get("early", lambda: None, rank=1) is first
    assert kept.get("later", lambda: None, rank=2) is third
    assert kept.get("late", lambda: None, rank=2) is None


def test_what_is_too_large_is_not_kept() -> None:
    kept = RecentlyUsed(limit=7)
    values = iter((np.zeros(2, np.float32), np.ones(2, np.float32)))
    assert kept.get("key", lambda: next(values))[0] == 0
    assert kept.get("key", lambda: next(values))[0] == 1
