"""The 1797 grey 8x8 digits that scikit-learn carries: real images, no download."""

import functools
from collections.abc import Mapping

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from hytnas_jax.data.decode import Opener
from hytnas_jax.data.readers.source import Split, Task


class DigitsSource:
    """`sklearn.datasets.load_digits` with its values 0..16 scaled to 0..255; one channel."""

    task: Task = "classification"
    left_out = ""
    remarks: tuple[str, ...] = ()
    are_named = True

    def __init__(self) -> None:
        values, self._labels = load_digits(return_X_y=True)
        pixels = np.rint(values.reshape(-1, 8, 8) * 255 / 16)
        self._images = pixels.astype(np.uint8)
        self.name = "digits"
        self.class_names = tuple(str(digit) for digit in range(10))
        self.channels = 1
        self.sizes: Mapping[Split, int] = {"train": len(self._images)}

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._labels[positions].astype(np.int32)

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        return [functools.partial(Image.fromarray, image) for image in self._images[positions]]

    def image_name(self, split: Split, position: int) -> str:
        return f"digits[{position}]"
