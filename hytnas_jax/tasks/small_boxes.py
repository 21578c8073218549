"""Whether objects are too small for the cells of a detector's output, and which resolution would do."""

import numpy as np

from hytnas_jax.data import Dataset

CELLS = 2.0  # that half of the boxes should span at least, at the resolution that is proposed
STEP = 32  # a proposed resolution is a multiple of it


def small_boxes(dataset: Dataset, resolution: int, stride: int) -> str | None:
    """What to warn of where half of the training split's boxes are narrower than a cell of the output.

    A cell tells of one object: two whose centres are in the same cell are one to the network.

    Args:
      resolution: the largest that the search may choose, in pixels.
      stride: pixels to a cell of the output.

    Returns:
      A sentence, or None: the boxes are large enough, no resolution would do, or there are no boxes.
    """
    targets = dataset.train.targets
    if "boxes" not in targets:
        return None
    corners = targets["boxes"][(targets["classes"] >= 0) & ~targets["ignored"]]
    narrower = float(np.median((corners[:, 2:] - corners[:, :2]).min(axis=1)))
    wanted = STEP * int(np.ceil(CELLS * stride / narrower / STEP)) if narrower > 0 else dataset.native_side
    proposed = min(wanted, dataset.native_side)
    if narrower * resolution >= stride or proposed <= resolution:
        return None
    return (
        f"half of the boxes are narrower than {narrower * resolution:.1f} pixels at resolution {resolution}, "
        f"where a cell of the output is {stride}: many will not be found, or not apart; "
        f"--resolutions {proposed} makes them {narrower * proposed:.0f} pixels wide, and each step about "
        f"{(proposed / resolution) ** 2:.1f} times as long (in another --workdir)"
    )
