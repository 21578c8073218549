"""What networks may be for, as --task has it."""

from typing import Literal

Task = Literal["classification", "detection", "segmentation"]
