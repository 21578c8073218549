"""What a search space is declared by, before anything is known of its genes."""

import dataclasses

from supernet.stage_space import StageSpace


@dataclasses.dataclass(frozen=True)
class SpaceDeclaration:
    """The fields of a `SearchSpace`; `space_validation` says which values are possible."""

    name: str
    stages: tuple[StageSpace, ...]
    resolution: tuple[int, ...] = (224,)
    stem_width: int = 16
    stem_stride: int = 2
    head_ratio: float = 0.5
    head_min: int = 32
    constraints: tuple[str, ...] = ()

    def head_width(self, width: int) -> int:
        """Channels of the head's 1x1 convolution over a last stage of `width` channels."""
        return max(int(width * self.head_ratio), self.head_min)
