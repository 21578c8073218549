"""What a selection is."""

import dataclasses
from typing import Protocol

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """What a batch is chosen from, C architectures with M objectives.

    All values are minimised and scaled alike, so that the observed ones span 0 to 1 in each objective.

    mean: [C, M], predicted; exact where an objective is known.
    std: [C, M], its standard deviation; 0 where an objective is known.
    scores: [C, M], the negative acquisitions: smaller is more promising.
    probability: [C], that all limits are kept; 1 where they are known to be.
    """

    mean: np.ndarray
    std: np.ndarray
    scores: np.ndarray
    probability: np.ndarray

    def __len__(self) -> int:
        return len(self.mean)


class Selection(Protocol):
    """Choose which candidates are evaluated next."""

    def __call__(
        self,
        candidates: Candidates,
        *,
        front: np.ndarray,
        reference: np.ndarray,
        batch: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Indices of the chosen, at most `batch`, in order.

        Args:
            candidates: none of them evaluated yet, all different.
            front: [P, M], the Pareto front observed, scaled like the candidates; P may be 0.
            reference: [M], the hypervolume's corner.
        """
        ...
