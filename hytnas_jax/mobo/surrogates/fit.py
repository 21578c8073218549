"""Fit a surrogate to whatever a search has seen: scales both sides and copes with too little data."""

import logging

import numpy as np

from hytnas_jax.mobo.surrogates.base import Predictor, Surrogate

logger = logging.getLogger(__name__)


def fit_surrogate(surrogate: Surrogate, x: np.ndarray, y: np.ndarray, *, name: str) -> Predictor:
    """Fit `surrogate` on standardised features and targets; predict in the targets' own units.

    Features that never vary are left out. With fewer than two points, or targets or features that are
    all equal, there is nothing to learn: the predictor then gives the mean everywhere with the targets'
    standard deviation, and a log line names the objective.

    Args:
        x: float64 [N, F], N >= 1. y: float64 [N]; both finite. name: the objective's, for the log.

    Returns:
        features [N, F] -> mean [N] and standard deviation [N], in y's units.
    """
    centre, scale = float(np.mean(y)), float(np.std(y))
    varies = np.ptp(x, axis=0) > 0.0
    if scale <= 1e-12 * max(1.0, abs(centre)) or not varies.any():
        logger.warning("%s: nothing to learn from %d point(s); a constant is used", name, len(y))
        return _constant(centre, scale)
    x_centre, x_scale = x[:, varies].mean(axis=0), x[:, varies].std(axis=0)
    inner = surrogate.fit((x[:, varies] - x_centre) / x_scale, (y - centre) / scale)

    def predict(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, std = inner((features[:, varies] - x_centre) / x_scale)
        return centre + scale * mean, scale * std

    return predict


def _constant(mean: float, std: float) -> Predictor:
    return lambda features: (np.full(len(features), mean), np.full(len(features), std))
