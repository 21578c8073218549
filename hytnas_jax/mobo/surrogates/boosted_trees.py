"""An ensemble of XGBoost regressors, each on its own bootstrap sample."""

import numpy as np
import xgboost

from hytnas_jax.mobo.surrogates.base import Predictor
from hytnas_jax.mobo.surrogates.ensemble import Ensemble

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

    A member counts point i as often as its bootstrap sample drew it. The spread is the disagreement of
    the members: it tells what is not known yet and leaves out the noise of an evaluation.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> Predictor:
        """Fit standardised features x [N, F] to targets y [N]."""
        rng = np.random.default_rng(self.seed)
        models = []
        for member in range(NUM_MEMBERS):
            counts = rng.multinomial(len(y), np.full(len(y), 1.0 / len(y)))
            sample = np.repeat(np.arange(len(y)), counts)
            data = xgboost.DMatrix(x[sample], y[sample], nthread=1)
            models.append(xgboost.train({**PARAMETERS, "seed": member}, data, NUM_TREES))

        def members(features: np.ndarray) -> np.ndarray:
            data = xgboost.DMatrix(features, nthread=1)
            return np.stack([model.predict(data) for model in models])

        return Ensemble(members, NUM_MEMBERS)
