"""The two forms in which COCO has the pixels of a thing: run lengths, and the corners of a polygon."""

from typing import Any

import numpy as np


def decode_rle(segmentation: dict[str, Any]) -> np.ndarray:
    """bool [H, W] of {"size": [H, W], "counts": ...}, counts a list of numbers or COCO's compressed string.

    Counts say how many pixels are off, on, off ..., column by column from the top left.

    Raises ValueError, which says what is wrong.
    """
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(side, int) for side in size):
        raise ValueError(f"size is {size!r:.40}; wanted [height, width]")
    if isinstance(counts, str):
        counts = _uncompressed(counts)
    if not isinstance(counts, list) or not all(isinstance(run, int) and run >= 0 for run in counts):
        raise ValueError(f"counts is {counts!r:.40}; wanted a list of whole numbers, or a string of COCO's")
    height, width = size
    if sum(counts) != height * width:
        raise ValueError(f"counts add up to {sum(counts)} pixels, size {height}x{width} has {height * width}")
    values = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return values.reshape(width, height).T


def fill_polygon(corners: np.ndarray, width: int, height: int) -> np.ndarray:
    """bool [H, W]: the pixels whose centres are in the polygon with these corners, float [N, 2] of x, y.

    A centre is inside where a line from it to the left crosses an odd number of edges.
    """
    x0, y0 = corners.T
    x1, y1 = np.roll(corners, -1, axis=0).T
    centres = np.arange(height)[:, None] + 0.5
    rows, edges = np.nonzero((y0 <= centres) != (y1 <= centres))
    slopes = (x1[edges] - x0[edges]) / (y1[edges] - y0[edges])
    crossings = x0[edges] + (rows + 0.5 - y0[edges]) * slopes
    columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.int64)
    counts = np.zeros((height, width + 1), np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts.cumsum(axis=1)[:, :width] % 2 == 1


def _uncompressed(text: str) -> list[int]:
    """COCO's string: five bits a character, from the lowest, a sixth for "goes on"; from the fourth run on,
    the difference to the run before the last."""
    counts: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"counts has the character {character!r}, which COCO's string never has")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:  # negative
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value, shift = 0, 0
    if shift:
        raise ValueError("counts ends in the middle of a number")
    return counts
