"""The parts of an efficiency study, for the flags: no JAX."""

from typing import Literal, get_args

StudyPart = Literal["networks", "operations", "attention", "space"]
PARTS: tuple[StudyPart, ...] = get_args(StudyPart)
