"""Single operations: parameters and multiply-accumulates, by hand for 8x8 maps of 16 channels."""

import pytest

from supernet.errors import UserError
from supernet.single_operations import SINGLE_OPERATIONS

SIDE, CHANNELS, PIXELS = 8, 16, 64
NORM = 2 * CHANNELS
# Tokens: 4 groups of 16. A linear layer is C * C and a bias; a product of attention 16 * 16 * C a group.
PARAMETERS = {
    "conv3x3": 9 * 16 * 16 + NORM,
    "depthwise3x3": 9 * 16 + NORM,
    "depthwise5x5": 25 * 16 + NORM,
    "depthwise7x7": 49 * 16 + NORM,
    "conv1x1": 16 * 16 + NORM,
    "attention": 4 * (16 * 16 + 16),
    "feed_forward": 2 * 16 * 32 + 32 + 16,
}
MACS = {
    "conv3x3": PIXELS * 9 * 16 * 16,
    "depthwise3x3": PIXELS * 9 * 16,
    "depthwise5x5": PIXELS * 25 * 16,
    "depthwise7x7": PIXELS * 49 * 16,
    "conv1x1": PIXELS * 16 * 16,
    "attention": PIXELS * 4 * 16 * 16 + 2 * 4 * 16 * 16 * 16,
    "feed_forward": PIXELS * 2 * 16 * 32,
}


@pytest.mark.parametrize("name", SINGLE_OPERATIONS)
def test_counts(name: str) -> None:
    graph = SINGLE_OPERATIONS[name](SIDE, CHANNELS)
    assert graph.name == name
    assert graph.ops[-1].shape == graph.input_shape
    assert sum(op.num_parameters for op in graph.ops) == PARAMETERS[name]
    assert sum(op.num_macs for op in graph.ops) == MACS[name]


def test_refuses_what_cannot_be() -> None:
    with pytest.raises(UserError, match=r"channels=0: must be 1 or more"):
        SINGLE_OPERATIONS["conv3x3"](8, 0)
    with pytest.raises(UserError, match=r"side 7, channels 16: .* multiples"):
        SINGLE_OPERATIONS["attention"](7, 16)
