"""Made-up photographs: smooth, coloured, each unlike the others."""

import io

import numpy as np
from PIL import Image


def photographs(count: int, *, side: int = 64, seed: int = 0) -> np.ndarray:
    """uint8 [count, side, side, 3]."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float64)
        made.append(np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8))
    return np.array(made)


def recompressed(image: np.ndarray, *, quality: int = 85) -> np.ndarray:
    """The image after it was saved as JPEG and read again."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
