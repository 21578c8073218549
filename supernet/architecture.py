"""An architecture: one choice for every gene of a search space, as values."""

import dataclasses
import hashlib
import json
from typing import Literal

BlockKind = Literal["conv", "attention"]


@dataclasses.dataclass(frozen=True)
class StageChoice:
    """One stage, decided.

    The stage opens with an inverted residual that carries its stride. `block="conv"`: `depth` inverted
    residuals in all. `block="attention"`: that one, then a MobileViT block of `depth` transformer layers;
    the last four fields are 0 in a convolution stage.

    Examples:
      >>> from supernet import StageChoice
      >>> StageChoice("conv", depth=2, width=16, expansion=4, kernel=3).width
      16
    """

    block: BlockKind
    depth: int
    width: int
    expansion: int
    kernel: int
    embed: int = 0
    heads: int = 0
    ffn: int = 0
    patch: int = 0


@dataclasses.dataclass(frozen=True)
class DenseHeadChoice:
    """A dense head, decided: channels, and blocks at its finest map.

    Examples:
      >>> from supernet import DenseHeadChoice
      >>> DenseHeadChoice(width=32, depth=2).width
      32
    """

    width: int
    depth: int


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A canonical member of the space called `space`; equal networks are equal architectures.

    `genes` are the canonical indices into the space's choices; `resolution`, `stages` and
    `dense_head` (None where the network classifies whole images) what they mean.
    Made by `SearchSpace.decode`, `SearchSpace.from_json` or `SearchSpace.sample`.

    Examples:
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> smallest = space.decode([0] * len(space.genes))
      >>> smallest.name, smallest.resolution, smallest.stages[0].width
      ('1073ddad', 8, 4)
    """

    space: str
    genes: tuple[int, ...]
    resolution: int
    stages: tuple[StageChoice, ...]
    dense_head: DenseHeadChoice | None = None

    @property
    def name(self) -> str:
        """Eight hexadecimal digits that tell it from others: folder names, table rows."""
        text = json.dumps([self.space, [int(g) for g in self.genes]])
        return hashlib.sha256(text.encode()).hexdigest()[:8]
