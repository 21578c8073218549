"""An ensemble of XGBoost regressors, each on its own bootstrap sample."""

import numpy as np
import xgboost

from hytnas_jax.mobo.surrogates.base import Predictor
from hytnas_jax.mobo.surrogates.ensemble import Ensemble, bootstrap_counts, widening

NUM_MEMBERS = 10
PARAMETERS = {
    "objective": "reg:squarederror",
    "tree_method": "exact",
    "max_depth": 2,
    "eta": 0.1,
    "colsample_bytree": 0.5,
    "nthread": 1,
}
NUM_TREES = 200


class BoostedTrees:
    """Mean and spread of `NUM_MEMBERS` boosted ensembles (Chen & Guestrin 2016; bagged, Breiman 1996).

    A member counts point i as often as its bootstrap sample drew it. The members' disagreement is widened
    until it is as large as their errors at the points that they did not draw. An evaluation's noise is
    averaged out of the mean and is among those errors: where it is large, the spread does not shrink to 0.
    """

    most_points = 8_192

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Predictor:
        """Fit scaled features x [N, F] to targets y [N]."""
        counts = bootstrap_counts(len(y), NUM_MEMBERS, np.random.default_rng(self.seed))
        models = []
        for member, count in enumerate(counts):
            sample = np.repeat(np.arange(len(y)), count)
            data = xgboost.DMatrix(x[sample], y[sample], nthread=1)
            models.append(xgboost.train({**PARAMETERS, "seed": member}, data, NUM_TREES))

        def members(features: np.ndarray) -> np.ndarray:
            data = xgboost.DMatrix(features, nthread=1)
            return np.stack([model.predict(data) for model in models])

        return Ensemble(members, widening(members(x), y, counts == 0))
