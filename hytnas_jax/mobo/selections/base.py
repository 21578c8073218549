"""What a selection is."""

from typing import Protocol

import numpy as np


class Selection(Protocol):
    """Choose which candidates are evaluated next.

    All values are minimised and scaled alike, so that the observed ones span 0 to 1 in each objective.
    """

    def __call__(
        self,
        mean: np.ndarray,
        std: np.ndarray,
        *,
        front: np.ndarray,
        reference: np.ndarray,
        batch: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Indices of the chosen, at most `batch`, in order.

        Args:
            mean: [C, M] of the candidates, predicted; exact where an objective is known.
            std: [C, M], its standard deviation; 0 where an objective is known.
            front: [P, M], the Pareto front observed; P may be 0.
            reference: [M], the hypervolume's corner.
        """
        ...
