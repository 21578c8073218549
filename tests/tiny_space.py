"""A tiny space that between its two stages has every kind of choice."""

from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace

SPACE = SearchSpace(
    "tiny",
    (
        # A map of 7x7, which no patch divides; both kinds of blocks.
        StageSpace(
            stride=1,
            block=("conv", "attention"),
            depth=(1, 2),
            expansion=(1, 2),
            kernel=(3, 5),
            width=(4, 6),
            embed=(4, 8),
            heads=(1, 2, 4),
            ffn_ratio=(1, 2),
            patch=(1, 2, 4),
        ),
        # A map of 4x4; attention alone, growth with a cap, a patch as large as the map.
        StageSpace(
            block=("attention",),
            growth=(1, 1.5),
            max_width=8,
            heads=(1, 2),
            ffn_ratio=(1,),
            patch=(2, 4),
        ),
    ),
    resolution=(7,),
    stem_width=4,
    stem_stride=1,
    head_min=5,
)
