"""The number of different networks against counting them one by one."""

import dataclasses
import itertools

import numpy as np
import pytest

from supernet.search_space import SearchSpace
from supernet.space_size import num_networks
from supernet.stage_space import StageSpace

CONV = StageSpace(stride=1, expansion=(1, 2), width=(4, 6))
HYBRID = StageSpace(
    block=("conv", "attention"),
    depth=(1, 2),
    growth=(1, 1.5, 2),
    max_width=8,
    heads=(1, 2),
    ffn_ratio=(1, 2),
    patch=(2, 4, 8),
)
ATTENTION = StageSpace(
    block=("attention",), width=(4, 8), embed=(4, 6), heads=(1, 2), ffn_ratio=(1, 1.1), patch=(1, 2, 3)
)
SPACES = {
    "growth, its cap, and patches as large as the map": SearchSpace(
        "a", (CONV, HYBRID), (8, 16), stem_width=4, stem_stride=1
    ),
    "growth after growth": SearchSpace("b", (CONV, dataclasses.replace(HYBRID, block=("conv",)), HYBRID)),
    "FFN ratios of one width": SearchSpace("c", (ATTENTION,), (4, 5, 8), stem_stride=1),
    "no genes": SearchSpace("d", (StageSpace(width=(4,)),)),
}


def all_codes(space: SearchSpace) -> np.ndarray:
    indices = [range(n) for n in space.cardinalities]
    return np.array(list(itertools.product(*indices)), np.int64).reshape(space.num_codes, len(space.genes))


@pytest.mark.parametrize("case", SPACES)
def test_count_is_that_of_different_networks(case: str) -> None:
    space = SPACES[case]
    architectures = space.decode_all(all_codes(space))
    specs = {dataclasses.replace(space.network_spec(a, num_classes=2), name="") for a in architectures}
    assert num_networks(space) == len(specs) == len(set(architectures))


def test_count_by_hand() -> None:
    # Map 8x8 after stride 2 -> 4x4: convolution 2 depths; attention 2 depths x 2 ratios x (patch 2 with 1 or
    # 2 heads, or patch 4 / 8 with every pixel alone) = 2 x 2 x 3. Widths: 4 -> 4, 6, 8; 6 -> 6, 8.
    space = SearchSpace("a", (CONV, HYBRID), (8,), stem_width=4, stem_stride=1)
    assert num_networks(space) == 2 * (3 + 2) * (2 + 2 * 2 * 3)
