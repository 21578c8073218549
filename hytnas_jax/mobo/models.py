"""What each objective is expected to be: exact where it is known, a surrogate's word elsewhere."""

import dataclasses

import numpy as np

from hytnas_jax.mobo.acquisitions import Acquisition
from hytnas_jax.mobo.problem import GeneFunction, Objective, Problem
from hytnas_jax.mobo.surrogates import SURROGATES, Fitted, FittedShare, fit_share, fit_surrogate
from hytnas_jax.mobo.surrogates.fit import NUM_QUANTILES


@dataclasses.dataclass(frozen=True, eq=False)
class Models:
    """One predictor for each unknown objective, None for each known one."""

    problem: Problem
    predictors: tuple[Fitted | FittedShare | None, ...]

    def quantiles(self, genes: np.ndarray) -> np.ndarray:
        """genes [N, G] -> [N, M, Q], minimised and rising, each an equal share of what may be; a known
        objective's are all the same."""
        features = self.problem.features(genes)
        quantiles = np.repeat(self._known(genes)[:, :, None], NUM_QUANTILES, axis=2)
        for m, predictor in enumerate(self.predictors):
            if predictor is not None:
                quantiles[:, m] = predictor.quantiles(features)
        return quantiles

    def predict(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """genes [N, G] -> mean and standard deviation [N, M], minimised; a known one's std is 0."""
        quantiles = self.quantiles(genes)
        known = np.ptp(quantiles, axis=2) == 0.0
        mean = np.where(known, quantiles[:, :, 0], quantiles.mean(axis=2))
        return mean, np.where(known, 0.0, quantiles.std(axis=2))

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
    problem: Problem,
    genes: np.ndarray,
    minimised: np.ndarray,
    *,
    std: np.ndarray | None = None,
    surrogate: str,
    seed: int,
    bent: bool,
) -> Models:
    """Fit the named surrogate to each unknown objective: genes [N, G], minimised [N, M], N >= 1.

    std: [N, M], how unsure the values are; None: not at all. bent: whether the objectives are bent towards
    normal distributions first (see `surrogates.warp`).
    """
    model, features = SURROGATES[surrogate](seed=seed), problem.features(genes)

    def fit(m: int, objective: Objective) -> Fitted | FittedShare | None:
        targets, unsure = minimised[:, m], None if std is None else std[:, m]
        if objective.known is not None:
            return None
        if objective.is_share:
            sign = float(problem.signs[m])
            return fit_share(model, features, targets, std=unsure, sign=sign, name=objective.name, bent=bent)
        return fit_surrogate(model, features, targets, std=unsure, name=objective.name, bent=bent)

    return Models(problem, tuple(fit(m, objective) for m, objective in enumerate(problem.objectives)))
