"""The names of devices in flags and objectives; it needs no JAX."""

import re

from supernet.errors import UserError

# Objectives: latency_ms@NAME is the latency on the device NAME. Quantity -> unit, and the predictor's file.
QUANTITIES = {"latency_ms": ("ms", "predictor.json"), "energy_mj": ("mJ", "energy.json")}


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_device_name(name: str) -> None:
    """Raises UserError for a name that can be no folder's."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"--device {name!r}: a device's name is of letters, digits, dots, dashes, underscores"
        )


def split_objective(objective: str) -> tuple[str, str] | None:
    """Quantity and device in the name of an objective, None where it is of no device: "latency_ms@pi" ->
    ("latency_ms", "pi")."""
    quantity, at, device = objective.partition("@")
    return (quantity, device) if at and quantity in QUANTITIES else None
