"""What an acquisition is."""

from typing import Protocol

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function, Predictor


class Acquisition(Protocol):
    """How much an architecture is worth evaluating for one objective, which is minimised."""

    def __call__(
        self, predictor: Predictor, *, best: float, evaluations: int, rng: np.random.Generator
    ) -> Function:
        """The function of features [N, F] to maximise, [N], finite.

        Args:
            predictor: what is expected of the objective, minimised.
            best: the smallest value observed.
            evaluations: how many there have been.
            rng: for what is drawn; it is drawn once, so that the function stays the same.
        """
        ...
