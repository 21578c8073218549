"""The built-in spaces, and two with a dense head: what is counted must be so for each."""

import dataclasses

from supernet.spaces import SPACE_NAMES, built_in_space
from supernet.stage_space import DenseHeadSpace

SPACES = {name: built_in_space(name) for name in SPACE_NAMES}
SPACES |= {
    "hybrid, boxes": dataclasses.replace(SPACES["hybrid"], dense_head=DenseHeadSpace(box_channels=4)),
    # Sides of 9, 5 and 3: cut when enlarged.
    "hybrid-small, masks": dataclasses.replace(
        SPACES["hybrid-small"].with_resolutions((9, 12)), dense_head=DenseHeadSpace(stride=1, width=(8, 16))
    ),
}
