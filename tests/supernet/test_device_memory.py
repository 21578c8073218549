"""The room that a device says it has."""

from typing import Any

import numpy as np

from supernet.device_memory import free_bytes


class Device:
    def __init__(self, stats: dict[str, int] | None):
        self.stats = stats

    def memory_stats(self) -> Any:
        return self.stats


def test_free_memory_is_what_the_device_tells() -> None:
    assert free_bytes(Device({"bytes_limit": 100, "bytes_in_use": 30})) == 70
    assert free_bytes(Device(None)) == np.inf
