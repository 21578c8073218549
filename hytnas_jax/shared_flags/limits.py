"""The limits that commands share, as flags; and what each of them limits."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from hytnas_jax.shared_flags.ranges import MOST_BYTES, MOST_MS, above, within

LATENCY = "latency_ms"
# What is counted of a network: objective -> the field of `proxies.complexity.Complexity` that counts it.
COUNTED = {
    "parameters": "num_parameters",
    "macs": "num_macs",
    "peak_memory": "peak_activation_bytes",
    "peak_memory_int8": "peak_activation_bytes_int8",
    "model_bytes": "model_bytes",
    "model_bytes_int8": "model_bytes_int8",
}
# Flag -> the objective that it limits.
LIMITS = {
    "max_latency_ms": LATENCY,
    "max_params": "parameters",
    **{f"max_{name}": name for name in COUNTED if name != "parameters"},
}


@dataclasses.dataclass(frozen=True)
class InWorkdir:
    """The work folder, so that it is the first field of every config with limits."""

    workdir: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits(InWorkdir):
    """The most that a network may need; None: as much as it likes."""

    max_latency_ms: Annotated[float | None, above(0, MOST_MS)] = None
    """No network above this predicted latency in milliseconds."""
    max_params: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network with more parameters."""
    max_macs: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network with more multiply-accumulates for one image."""
    max_peak_memory: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network that needs more bytes for its activations (float32, one image)."""
    max_peak_memory_int8: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network whose activations need more bytes in int8. Of 256 kB of memory (SRAM) that is 262144, less
    what the program and its runtime need (docs/memory.md)."""
    max_model_bytes: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network whose TFLite file in float32 has more bytes."""
    max_model_bytes_int8: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network whose TFLite file in int8 has more bytes. Of 1 MB of flash that is 1048576, less the
    program."""

    def given(self) -> dict[str, Any]:
        """Flag -> the most allowed, of the limits that the user has given."""
        values = {flag: getattr(self, flag) for flag in LIMITS}
        return {flag: maximum for flag, maximum in values.items() if maximum is not None}
