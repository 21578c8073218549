"""Upper confidence bound."""

import numpy as np

WIDTH = 2.0


class UpperConfidenceBound:
    def __call__(self, mean: np.ndarray, std: np.ndarray, *, best: float, iteration: int) -> np.ndarray:
        """See `Acquisition`."""
        return WIDTH * std - mean
