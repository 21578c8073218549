"""The parts of a search space's declaration: the choices of a stage, genes, constraints."""

import dataclasses
import re
from typing import Any

import numpy as np

from supernet.errors import UserError

FAMILIES = (
    "block",
    "depth",
    "expansion",
    "kernel",
    "width",
    "growth",
    "embed",
    "heads",
    "ffn_ratio",
    "patch",
)
ATTENTION_FAMILIES = ("embed", "heads", "ffn_ratio", "patch")


@dataclasses.dataclass(frozen=True)
class StageSpace:
    """The choices of one stage; a field with one choice is fixed and no gene.

    Give either `width` (channels) or `growth` (factor over the stage before, rounded down, capped at
    `max_width`). `embed=()` means the largest power of two not above the width (HyT-NAS). The attention
    fields are read where `block` holds "attention".

    Examples:
      >>> from supernet import StageSpace
      >>> attention = dict(embed=(16,), heads=(1, 2), ffn_ratio=(1,), patch=(2,))
      >>> StageSpace(block=("conv", "attention"), width=(8, 16), **attention).stride
      2
    """

    stride: int = 2
    block: tuple[str, ...] = ("conv",)
    depth: tuple[int, ...] = (1,)
    expansion: tuple[int, ...] = (1,)
    kernel: tuple[int, ...] = (3,)
    width: tuple[int, ...] = ()
    growth: tuple[float, ...] = ()
    max_width: int | None = None
    embed: tuple[int, ...] = ()
    heads: tuple[int, ...] = ()
    ffn_ratio: tuple[float, ...] = ()
    patch: tuple[int, ...] = ()


HEAD_FAMILIES = ("width", "depth")


@dataclasses.dataclass(frozen=True)
class DenseHeadSpace:
    """The choices of a head with an output for each cell of a map (`DenseHeadSpec`).

    `stride` is how many pixels of the image a cell has in each direction: the head reads the last stage of
    that stride, and the last of each larger one. Stride and kernel are no genes: the outputs of all networks
    have one shape.

    Examples:
      >>> from supernet import DenseHeadSpace
      >>> DenseHeadSpace(width=(24, 32), depth=(1, 2), stride=8, box_channels=4).kernel
      5
    """

    width: tuple[int, ...] = (24, 32, 48, 64)
    depth: tuple[int, ...] = (1, 2, 3)
    kernel: int = 5
    stride: int = 8
    box_channels: int = 0


@dataclasses.dataclass(frozen=True)
class Gene:
    """One decision: `name` is "resolution", "stage<i>.<family>" with i from 1, or "head.<family>"."""

    name: str
    choices: tuple[Any, ...]

    @property
    def family(self) -> str:
        """What it decides, in any stage; a stage's growth decides its width."""
        family = self.name.rpartition(".")[2]
        return "width" if family == "growth" else family


RELATIONS = {"<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater}


def parse_constraint(text: str) -> tuple[str, str, str]:
    """ "stage2.width <= stage3.width" into its three parts. Raises UserError."""
    match = re.fullmatch(r"\s*([\w.]+)\s*(<=|>=|<|>)\s*([\w.]+)\s*", text)
    if not match:
        raise UserError(
            f"constraint {text!r}: write 'stage<i>.<field> <= stage<j>.<field>' or '... <= number' "
            f"with one of {list(RELATIONS)}"
        )
    return match[1], match[2], match[3]
