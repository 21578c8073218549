"""What an acquisition is."""

from typing import Protocol

import numpy as np


class Acquisition(Protocol):
    """How much an architecture is worth evaluating for one objective, which is minimised."""

    def __call__(self, mean: np.ndarray, std: np.ndarray, *, best: float, iteration: int) -> np.ndarray:
        """The value to maximise, [N], finite.

        Args:
            mean: [N], predicted, minimised. std: [N], its standard deviation, >= 0.
            best: the smallest value observed.
            iteration: the number of evaluations so far.
        """
        ...
