"""Fixed position embeddings: numbers that say where a pixel is, added to its channels. No parameters."""

import numpy as np
from numpy.typing import NDArray

TEMPERATURE = 10_000.0  # the longest wave's, in pixels over a radian


def sine_cosine_positions(height: int, width: int, channels: int) -> NDArray[np.float32]:
    """Two-dimensional sines and cosines [height, width, channels]; `channels` a multiple of 4, from 8 on.

    A quarter of the channels each: sin and cos of the column, sin and cos of the row, at frequencies that
    fall geometrically from 1 to 1 / `TEMPERATURE`. As in MoCo v3 (arXiv 2104.02057) and, after it, in plain
    ViT (arXiv 2205.01580).
    """
    quarter = channels // 4
    frequencies = TEMPERATURE ** -(np.arange(quarter) / (quarter - 1))
    rows = np.arange(height)[:, None, None] * frequencies
    columns = np.arange(width)[None, :, None] * frequencies
    parts = (np.sin(columns), np.cos(columns), np.sin(rows), np.cos(rows))
    shape = (height, width, quarter)
    return np.concatenate([np.broadcast_to(part, shape) for part in parts], -1).astype(np.float32)
