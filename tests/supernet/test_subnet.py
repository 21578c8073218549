"""A subnet cut out of the supernet computes what the masked supernet does."""

from typing import Any

import jax
import numpy as np
import pytest

from supernet.network import stand_alone
from supernet.subnet import slice_subnet

# Between them: both kinds of blocks, both depths, kernels and expansions, residuals and none, 1, 2 and 4
# heads, patches that do not divide the map (2, 4 in 7), that do (2 in 4), and as large as the map (4 in 4).
MEMBERS: dict[str, dict[str, Any]] = {
    "smallest": {},
    "deep convolution": {
        "stage1_depth": 2,
        "stage1_expansion": 2,
        "stage1_kernel": 5,
        "stage1_width": 6,
        "stage2_growth": 1.5,
        "stage2_heads": 2,
    },
    "attention": {
        "stage1_block": "attention",
        "stage1_heads": 2,
        "stage1_patch": 2,
        "stage1_ffn_ratio": 2,
        "stage2_patch": 4,
        "stage2_growth": 1.5,
    },
    "largest": {
        "stage1_block": "attention",
        "stage1_depth": 2,
        "stage1_expansion": 2,
        "stage1_kernel": 5,
        "stage1_width": 6,
        "stage1_embed": 8,
        "stage1_heads": 4,
        "stage1_ffn_ratio": 2,
        "stage1_patch": 4,
        "stage2_growth": 1.5,
        "stage2_heads": 2,
    },
}


@pytest.mark.parametrize("case", MEMBERS)
def test_slice_is_masked(tiny: Any, case: str) -> None:
    member = tiny.member(**MEMBERS[case])
    masked, used = tiny.forward(tiny.params, tiny.stats, tiny.images, tiny.control(member))
    spec, params, stats = slice_subnet(tiny.space, member, tiny.params, tiny.stats)
    assert spec == tiny.space.network_spec(member, num_classes=3, channels=2)
    model = stand_alone(spec)
    assert jax.tree.map(np.shape, params) == jax.tree.map(lambda a: a.shape, model.abstract_params)
    both = tiny.jit(lambda: [model.apply(params, stats, tiny.images, train=train) for train in (True, False)])
    (in_training, batch_stats), (in_use, _) = both()
    np.testing.assert_allclose(in_training, masked[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(in_use, used[0], rtol=1e-4, atol=1e-4)
    # The statistics of the batch as well, so that calibrating can be done on either.
    _, _, of_masked = slice_subnet(tiny.space, member, tiny.params, masked[1])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), batch_stats, of_masked)


def test_slices_share_no_part_of_an_inactive_block(tiny: Any) -> None:
    _, params, _ = slice_subnet(tiny.space, tiny.member(), tiny.params, tiny.stats)
    kinds = [set(block) for block in params["blocks"].values()]
    assert [("project" in k, "fuse" in k) for k in kinds] == [
        (False, False),
        (True, False),
        (True, False),
        (False, True),
    ]
