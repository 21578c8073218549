"""Whether objects are too small for the cells of a detector's output, and which resolution would do."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from hytnas_jax.data import Dataset
from hytnas_jax.data.readers.boxes import BoxSource
from hytnas_jax.data.readers.source import Source

ENOUGH = 15 / 16  # of a cell: the next resolution may have half as many pixels again
CELLS = 2.0  # that half of the boxes should span at least, at the resolution that is proposed
STEP = 32  # a proposed resolution is a multiple of it


def narrower_side(source: Source) -> float | None:
    """Half of a source's training boxes are narrower, in 0..1 of an image's side; None where it has none."""
    if source.task != "detection":
        return None
    _, boxes = cast(BoxSource, source).all_boxes("train")
    return _median(boxes.corners[~boxes.ignored])


def large_enough(choices: Sequence[int], usual: Sequence[int], narrower: float, stride: int) -> list[int]:
    """As many resolutions as the `usual` ones: the next of `choices` at which half of the boxes span a cell.

    The usual ones where they do, or where boxes have no width; the largest where none does.

    Args:
      choices: resolutions in ascending order, the usual ones among them.
      narrower: as `narrower_side` gives it.
      stride: pixels to a cell of the output.
    """
    if narrower <= 0:
        return list(usual)
    first = next((n for n, side in enumerate(choices) if side * narrower >= ENOUGH * stride), len(choices))
    first = min(max(first, list(choices).index(usual[0])), len(choices) - len(usual))
    return list(choices[first : first + len(usual)])


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
    narrower = _median(corners)
    wanted = STEP * int(np.ceil(CELLS * stride / narrower / STEP)) if narrower > 0 else dataset.native_side
    proposed = min(wanted, dataset.native_side)
    if narrower * resolution >= ENOUGH * stride or proposed <= resolution:
        return None
    return (
        f"half of the boxes are narrower than {narrower * resolution:.1f} pixels at resolution {resolution}, "
        f"where a cell of the output is {stride}: many will not be found, or not apart; "
        f"--resolutions {proposed} makes them {narrower * proposed:.0f} pixels wide, and each step about "
        f"{(proposed / resolution) ** 2:.1f} times as long (in another --workdir)"
    )


def _median(corners: np.ndarray) -> float:
    """Of the narrower sides of boxes [M, 4]; 0 without any."""
    return float(np.median((corners[:, 2:] - corners[:, :2]).min(axis=1))) if len(corners) else 0.0
