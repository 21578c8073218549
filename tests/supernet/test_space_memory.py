"""What the largest network of a space takes, by hand and beside the real one."""

import jax
import numpy as np
import pytest

from supernet.search_space import SearchSpace
from supernet.space_memory import num_weights, reachable_widths
from supernet.spaces import SPACE_NAMES, built_in_space
from supernet.stage_space import StageSpace
from supernet.supernet import supernet


def test_by_hand() -> None:
    stages = (
        StageSpace(stride=1, width=(4,), expansion=(1, 2), kernel=(3, 5)),
        StageSpace(depth=(1, 3), width=(6, 8)),
    )
    space = SearchSpace("s", stages, (8,), stem_width=4, stem_stride=1, head_ratio=2, head_min=10)
    first = 8 * (4 + 25 + 4)  # hidden 2 * 4: 1x1, depthwise 5x5, 1x1
    second = 4 * (4 + 9 + 8) + 2 * 8 * (8 + 9 + 8)
    assert num_weights(space) == 27 * 4 + first + second + 8 * 16
    assert reachable_widths(space) == [{4}, {6, 8}]


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_it_is_about_what_the_supernet_has(name: str) -> None:
    space = built_in_space(name)
    params = supernet(space, channels=3, num_classes=2).abstract_params
    actual = sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(params))
    assert 0.8 < num_weights(space) / actual < 1.25
