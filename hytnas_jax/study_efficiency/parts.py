"""The parts of an efficiency study, for the flags: no JAX."""

from typing import Literal, get_args

Part = Literal["networks", "operations", "attention", "space"]
PARTS: tuple[Part, ...] = get_args(Part)
