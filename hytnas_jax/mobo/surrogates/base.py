"""What a surrogate is."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

# features [N, F] -> (mean [N], standard deviation [N])
Predictor = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Surrogate(Protocol):
    """A regressor that knows how sure it is.

    Equal seeds give equal predictions. The loop fits it through `fit_surrogate`, which standardises and
    hands it at least two points with different targets.
    """

    def __init__(self, *, seed: int) -> None: ...

    def fit(self, x: np.ndarray, y: np.ndarray) -> Predictor:
        """Fit features x [N, F] to targets y [N]."""
        ...
