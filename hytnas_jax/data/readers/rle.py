"""Run lengths of COCO: how many pixels are off, on, off ..., column by column from the top left."""

from typing import Any

import numpy as np


def decode_rle(segmentation: dict[str, Any]) -> np.ndarray:
    """bool [H, W] of {"size": [H, W], "counts": ...}, counts a list of numbers or COCO's compressed string.

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
