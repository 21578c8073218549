"""An ensemble of XGBoost rankers, each on its own bootstrap sample."""

import numpy as np
import xgboost

from hytnas_jax.mobo.surrogates.base import Predictor
from hytnas_jax.mobo.surrogates.boosted_trees import NUM_MEMBERS, NUM_TREES, PARAMETERS
from hytnas_jax.mobo.surrogates.ensemble import Ensemble, bootstrap_counts, widening

RANKING = {
    "objective": "rank:pairwise",
    "lambdarank_pair_method": "mean",
    "lambdarank_num_pair_per_sample": 5,
}
SMALLEST_SLOPE = 1e-3


class BoostedRanker:
    """Trees that learn which of two architectures is better, not by how much (RankNet, Burges et al. 2005).

    A score has no unit. Each member's scores are standardised, and one straight line for all members turns
    them into targets: the least-squares line through the points that a member did not draw, where scores
    are not flattered. A line keeps every difference of the scores; isotonic steps would make many
    architectures equal and their spread 0. Spread and noise: as `BoostedTrees`.
    """

    most_points = 2_048

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Predictor:
        """Fit scaled features x [N, F] to the order of targets y [N]."""
        counts = bootstrap_counts(len(y), NUM_MEMBERS, np.random.default_rng(self.seed))
        grades = np.unique(y, return_inverse=True)[1]
        models = []
        for member, count in enumerate(counts):
            sample = np.repeat(np.arange(len(y)), count)
            data = xgboost.DMatrix(x[sample], grades[sample], group=[len(sample)], nthread=1)
            models.append(xgboost.train({**PARAMETERS, **RANKING, "seed": member}, data, NUM_TREES))

        def scores(features: np.ndarray) -> np.ndarray:
            data = xgboost.DMatrix(features, nthread=1)
            return np.stack([model.predict(data) for model in models]).astype(np.float64)

        fitted, held_out = scores(x), counts == 0
        centres = fitted.mean(axis=1, keepdims=True)
        scales = np.maximum(fitted.std(axis=1, keepdims=True), 1e-9)
        slope, offset = _line((fitted - centres) / scales, np.broadcast_to(y, fitted.shape), held_out)

        def members(features: np.ndarray) -> np.ndarray:
            return offset + slope * (scores(features) - centres) / scales

        return Ensemble(members, widening(members(x), y, held_out))


def _line(scores: np.ndarray, targets: np.ndarray, held_out: np.ndarray) -> tuple[float, float]:
    """Slope > 0 and offset of targets over scores, both [K, N], where `held_out`."""
    if not held_out.any():
        return SMALLEST_SLOPE, float(targets.mean())
    score, target = scores[held_out], targets[held_out]
    slope = np.mean((score - score.mean()) * target) / max(score.var(), 1e-9)
    slope = max(float(slope), SMALLEST_SLOPE)
    return slope, float(target.mean() - slope * score.mean())
