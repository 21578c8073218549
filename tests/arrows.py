"""Images of arrows: mirrored, one class is the other."""

from pathlib import Path

import numpy as np
from PIL import Image


def arrows(count: int, *, side: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [2 * count, side, side, 3], of grounds and colours of their own, and labels: 1 points right."""
    rng = np.random.default_rng(seed)
    images = np.empty((2 * count, side, side, 3), np.uint8)
    images[:] = rng.integers(0, 80, (2 * count, 1, 1, 3))
    labels = np.repeat([0, 1], count)
    rows, columns = np.mgrid[:side, :side]
    for image, label in zip(images, labels, strict=True):
        middle, tip = rng.integers(side // 2 - 2, side // 2 + 3), rng.integers(1, side // 5)
        distance = abs(rows - middle)
        head = (columns >= tip) & (columns <= tip + 5) & (distance <= columns - tip)
        shaft = (distance <= 1) & (columns > tip) & (columns < side - rng.integers(2, 5))
        is_arrow = head | shaft
        image[is_arrow[:, ::-1] if label else is_arrow] = rng.integers(160, 255, 3)
    return images, labels


def save_arrows(folder: Path, count: int, *, names: tuple[str, str] = ("turn_left", "turn_right")) -> Path:
    """A folder of arrows as PNG, in a folder for each class."""
    images, labels = arrows(count)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / names[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / names[label] / f"{number:03}.png")
    return folder
