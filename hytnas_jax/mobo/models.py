"""What each objective is expected to be: exact where it is known, a surrogate's word elsewhere."""

import dataclasses

import numpy as np

from hytnas_jax.mobo.problem import Problem
from hytnas_jax.mobo.surrogates import SURROGATES, Predictor, fit_surrogate


@dataclasses.dataclass(frozen=True, eq=False)
class Models:
    """One predictor for each unknown objective, None for each known one."""

    problem: Problem
    predictors: tuple[Predictor | None, ...]

    @property
    def unknown(self) -> list[int]:
        """Indices of the objectives that are predicted."""
        return [m for m, predictor in enumerate(self.predictors) if predictor is not None]

    def predict(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """genes [N, G] -> mean and standard deviation [N, M], minimised; a known one's std is 0."""
        features = self.problem.features(genes)
        mean = np.zeros((len(genes), len(self.predictors)))
        std = np.zeros_like(mean)
        for m, (objective, predictor) in enumerate(
            zip(self.problem.objectives, self.predictors, strict=True)
        ):
            if predictor is not None:
                mean[:, m], std[:, m] = predictor(features)
            elif objective.known is not None:
                mean[:, m] = self.problem.signs[m] * objective.known(genes)
        return mean, std


def fit_models(
    problem: Problem, genes: np.ndarray, minimised: np.ndarray, *, surrogate: str, seed: int
) -> Models:
    """Fit the named surrogate to each unknown objective: genes [N, G], minimised [N, M], N >= 1."""
    features = problem.features(genes)
    predictors = tuple(
        None
        if objective.known is not None
        else fit_surrogate(SURROGATES[surrogate](seed=seed), features, minimised[:, m], name=objective.name)
        for m, objective in enumerate(problem.objectives)
    )
    return Models(problem, predictors)
