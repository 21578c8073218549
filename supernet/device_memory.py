"""How much room a device has."""

import math
from typing import Any


def free_bytes(device: Any) -> float:
    """What may still be taken of a device's memory; infinite where it does not tell."""
    stats = device.memory_stats() or {}
    if "bytes_limit" not in stats:
        return math.inf
    return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
