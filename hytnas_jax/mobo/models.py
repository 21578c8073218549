"""What each objective is expected to be: exact where it is known, a surrogate's word elsewhere."""

import dataclasses

import numpy as np

from hytnas_jax.mobo.acquisitions import Acquisition
from hytnas_jax.mobo.problem import GeneFunction, Problem
from hytnas_jax.mobo.surrogates import SURROGATES, Predictor, fit_surrogate


@dataclasses.dataclass(frozen=True, eq=False)
class Models:
    """One predictor for each unknown objective, None for each known one."""

    problem: Problem
    predictors: tuple[Predictor | None, ...]

    def predict(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """genes [N, G] -> mean and standard deviation [N, M], minimised; a known one's std is 0."""
        features = self.problem.features(genes)
        mean = self._known(genes)
        std = np.zeros_like(mean)
        for m, predictor in enumerate(self.predictors):
            if predictor is not None:
                mean[:, m], std[:, m] = predictor.predict(features)
        return mean, std

    def scores(
        self, acquisition: Acquisition, *, best: np.ndarray, evaluations: int, rng: np.random.Generator
    ) -> GeneFunction:
        """The function of genes [N, G] to minimise, [N, M]: the negative acquisition of each unknown
        objective, the minimised value of each known one.

        Args: see `Acquisition`; best is [M].
        """
        functions = [
            None
            if predictor is None
            else acquisition(predictor, best=float(best[m]), evaluations=evaluations, rng=rng)
            for m, predictor in enumerate(self.predictors)
        ]

        def scores(genes: np.ndarray) -> np.ndarray:
            features = self.problem.features(genes)
            values = self._known(genes)
            for m, function in enumerate(functions):
                if function is not None:
                    values[:, m] = -function(features)
            return values

        return scores

    def _known(self, genes: np.ndarray) -> np.ndarray:
        """[N, M], the known objectives' values, minimised; 0 for the others."""
        values = np.zeros((len(genes), len(self.predictors)))
        for m, objective in enumerate(self.problem.objectives):
            if objective.known is not None:
                values[:, m] = self.problem.signs[m] * objective.known(genes)
        return values


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
