"""Fit a surrogate to whatever a search has seen: scales both sides and copes with too little data."""

import dataclasses
import logging

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function, Predictor, Surrogate

logger = logging.getLogger(__name__)


def fit_surrogate(surrogate: Surrogate, x: np.ndarray, y: np.ndarray, *, name: str) -> Predictor:
    """Fit `surrogate` on standardised features and targets; predict in the targets' own units.

    Features that never vary are left out. With fewer than two points, or targets or features that are
    all equal, there is nothing to learn: the predictor then gives the mean everywhere with the targets'
    standard deviation, and a log line names the objective.

    Args:
        x: float64 [N, F], N >= 1. y: float64 [N]; both finite. name: the objective's, for the log.

    Returns:
        a predictor for features [N, F], in y's units.
    """
    centre, scale = float(np.mean(y)), float(np.std(y))
    varies = np.ptp(x, axis=0) > 0.0
    if scale <= 1e-12 * max(1.0, abs(centre)) or not varies.any():
        logger.warning("%s: nothing to learn from %d point(s); a constant is used", name, len(y))
        return _Constant(centre, scale)
    x_centre, x_scale = x[:, varies].mean(axis=0), x[:, varies].std(axis=0)
    inner = surrogate.fit((x[:, varies] - x_centre) / x_scale, (y - centre) / scale)
    return _Scaled(inner, varies, x_centre, x_scale, centre, scale)


@dataclasses.dataclass(frozen=True, eq=False)
class _Constant:
    mean: float
    std: float

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(features), self.mean), np.full(len(features), self.std)

    def draw(self, rng: np.random.Generator) -> Function:
        value = rng.normal(self.mean, self.std)
        return lambda features: np.full(len(features), value)


@dataclasses.dataclass(frozen=True, eq=False)
class _Scaled:
    """`inner` takes features [N, varies.sum()] and gives targets, both standardised."""

    inner: Predictor
    varies: np.ndarray
    x_centre: np.ndarray
    x_scale: np.ndarray
    centre: float
    scale: float

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, std = self.inner.predict(self._standardised(features))
        return self.centre + self.scale * mean, self.scale * std

    def draw(self, rng: np.random.Generator) -> Function:
        function = self.inner.draw(rng)
        return lambda features: self.centre + self.scale * function(self._standardised(features))

    def _standardised(self, features: np.ndarray) -> np.ndarray:
        return (features[:, self.varies] - self.x_centre) / self.x_scale
