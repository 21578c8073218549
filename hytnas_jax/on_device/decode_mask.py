"""The class of each pixel of a segmenter's output, with nothing but NumPy.

Letters: h w the cells of an output, K classes, H W the pixels of a mask.
"""

import numpy as np

NUMBERS_AT_ONCE = 2**22  # logits of pixels that are held in memory


def decode_mask(output: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Classes uint8 [H, W] of logits [h, w, K], enlarged to `size` = (H, W) as `jax.image.resize` does."""
    height, width = size
    num_classes = output.shape[-1]
    down, across = weights(output.shape[0], height), weights(output.shape[1], width)
    rows = (across @ output.astype(np.float32)).reshape(len(output), -1)  # [h, W * K]
    mask = np.empty(size, np.uint8)
    step = max(1, NUMBERS_AT_ONCE // rows.shape[1])
    for top in range(0, height, step):
        part = down[top : top + step]
        mask[top : top + step] = (part @ rows).reshape(len(part), width, num_classes).argmax(-1)
    return mask


def weights(cells: int, pixels: int) -> np.ndarray:
    """Of each cell in each pixel, float32 [pixels, cells]: bilinear, with half-pixel centres.

    Where there are fewer pixels than cells, a pixel is of all cells under it.
    """
    cells_a_pixel = cells / pixels
    centres = (np.arange(pixels) + 0.5) * cells_a_pixel - 0.5
    away = np.abs(centres[:, None] - np.arange(cells)) / max(cells_a_pixel, 1)
    shares = np.maximum(1 - away, 0)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)
