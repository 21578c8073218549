"""What a selection is."""

import dataclasses
from typing import Protocol

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """What a batch is chosen from, C architectures with M objectives.

    Values are minimised and scaled alike, so that the observed ones span 0 to 1 in each objective.

    quantiles: [C, M, Q], rising: what each objective may be, every quantile an equal share of it; all the
        same where an objective is known.
    scores: [C, M], the negative acquisitions, each objective in its own scale: smaller is more promising.
    probability: [C], that all limits are kept; 1 where they are known to be.
    """

    quantiles: np.ndarray
    scores: np.ndarray
    probability: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """[C, M]."""
        return self.quantiles.mean(axis=2)

    @property
    def std(self) -> np.ndarray:
        """[C, M]; 0 where an objective is known."""
        return self.quantiles.std(axis=2)

    def __len__(self) -> int:
        return len(self.quantiles)


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
