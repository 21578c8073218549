"""What a surrogate is."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

# features [N, F] -> values [N]
Function = Callable[[np.ndarray], np.ndarray]


class Predictor(Protocol):
    """What a fitted surrogate expects of an objective."""

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """features [N, F] -> mean [N] and standard deviation [N] of the value without its noise."""
        ...

    def draw(self, rng: np.random.Generator) -> Function:
        """One function that the objective may well be: the same one however often it is called."""
        ...


class Surrogate(Protocol):
    """A regressor that knows how sure it is.

    Equal seeds give equal predictions. The loop fits it through `fit_surrogate`, which standardises and
    hands it at least two points with different targets.

    most_points: more are not handed over (see `mobo.points`): a fit of so many takes a few seconds.
    """

    most_points: int

    def __init__(self, *, seed: int) -> None: ...

    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Predictor:
        """Fit features x [N, F] to targets y [N], of which `noise` [N] is the least variance of each.

        The ensembles pass over it: they estimate it from the targets alone.
        """
        ...
