"""What a search space is declared by, before anything is known of its genes."""

import dataclasses
import itertools
import operator

from supernet.stage_space import DenseHeadSpace, StageSpace


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
    dense_head: DenseHeadSpace | None = None

    def head_width(self, width: int) -> int:
        """Channels of the head's 1x1 convolution over a last stage of `width` channels."""
        return max(int(width * self.head_ratio), self.head_min)

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels of the image to a cell of each stage's map, in each direction."""
        own = (stage.stride for stage in self.stages)
        return tuple(itertools.accumulate(own, operator.mul, initial=self.stem_stride))[1:]

    @property
    def taps(self) -> tuple[int, ...]:
        """The stages, from 0, whose maps the head reads."""
        if self.dense_head is None:
            return (len(self.stages) - 1,)
        last = {stride: number for number, stride in enumerate(self.strides)}
        return tuple(number for stride, number in last.items() if stride >= self.dense_head.stride)
