"""A space of one stage with both kinds of blocks: a training step of it compiles in seconds."""

from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

SPACE = SearchSpace(
    "one",
    (
        StageSpace(
            stride=1,
            block=("conv", "attention"),
            depth=(1, 2),
            width=(4, 6),
            embed=(4, 8),
            heads=(1, 2),
            ffn_ratio=(1,),
            patch=(1, 2),
        ),
    ),
    resolution=(4, 6),
    stem_width=4,
    stem_stride=1,
    head_min=4,
)
