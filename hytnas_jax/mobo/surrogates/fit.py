"""Fit a surrogate to whatever a search has seen: scales both sides and copes with too little data."""

import dataclasses
import logging

import numpy as np
from scipy.special import ndtri

from hytnas_jax.mobo.surrogates.base import Function, Predictor, Surrogate
from hytnas_jax.mobo.surrogates.warp import Warp, fit_warp
from hytnas_jax.numbers import counted

logger = logging.getLogger(__name__)

# The deviation of a feature of a few equally likely levels, in ranges. Features are scaled by their range:
# their own deviation would make much of a level that was seen once.
TYPICAL_DEVIATION = 0.35
# A predicted distribution is told by the values at the middles of so many equal shares of it.
NUM_QUANTILES = 24
_NORMAL_QUANTILES = ndtri((np.arange(NUM_QUANTILES) + 0.5) / NUM_QUANTILES)
_NORMAL_QUANTILES /= _NORMAL_QUANTILES.std()


def fit_surrogate(
    surrogate: Surrogate,
    x: np.ndarray,
    y: np.ndarray,
    *,
    std: np.ndarray | None = None,
    name: str,
    bent: bool = True,
) -> "Fitted":
    """Fit `surrogate` on scaled features and standardised targets, which may be bent first (see `warp`).

    Features that never vary are left out. With fewer than two points, or targets or features that are
    all equal, there is nothing to learn: the predictor then gives the mean everywhere with the targets'
    standard deviation, and a log line names the objective.

    Args:
        x: float64 [N, F], N >= 1. y: float64 [N]; both finite. std: float64 [N], how unsure each of y is;
            None: not at all. name: the objective's, for the log.

    Returns:
        a predictor for features [N, F], in y's units.
    """
    centre, scale = float(np.mean(y)), float(np.std(y))
    varies = np.ptp(x, axis=0) > 0.0
    if scale <= 1e-12 * np.abs(y).max() or not varies.any():
        logger.warning("%s: nothing to learn from %s; a constant is used", name, counted(len(y), "point"))
        everything = np.zeros(x.shape[1], bool)
        return Fitted(_Constant(), everything, np.zeros(0), np.ones(0), Warp(*_line(centre, scale)))
    x_centre, x_scale = x[:, varies].mean(axis=0), TYPICAL_DEVIATION * np.ptp(x[:, varies], axis=0)
    warp = fit_warp(y) if bent else Warp(*_line(centre, scale))
    unsure = np.zeros(len(y)) if std is None else (warp.forward(y + std) - warp.forward(y - std)) / 2.0
    inner = surrogate.fit((x[:, varies] - x_centre) / x_scale, warp.forward(y), unsure**2)
    return Fitted(inner, varies, x_centre, x_scale, warp)


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """A `Predictor` in the targets' units; `inner` takes scaled features and gives warped targets."""

    inner: Predictor
    varies: np.ndarray
    x_centre: np.ndarray
    x_scale: np.ndarray
    warp: Warp

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Predictor`."""
        quantiles = self.quantiles(features)
        return quantiles.mean(axis=1), quantiles.std(axis=1)

    def quantiles(self, features: np.ndarray) -> np.ndarray:
        """features [N, F] -> [N, NUM_QUANTILES], rising: each stands for an equal share of what may be."""
        mean, std = self.inner.predict(self._scaled(features))
        return self.warp.inverse(mean[:, None] + std[:, None] * _NORMAL_QUANTILES)

    def draw(self, rng: np.random.Generator) -> Function:
        """See `Predictor`."""
        function = self.inner.draw(rng)
        return lambda features: self.warp.inverse(function(self._scaled(features)))

    def _scaled(self, features: np.ndarray) -> np.ndarray:
        return (features[:, self.varies] - self.x_centre) / self.x_scale


class _Constant:
    """Standard normal everywhere."""

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(features)), np.ones(len(features))

    def draw(self, rng: np.random.Generator) -> Function:
        value = rng.standard_normal()
        return lambda features: np.full(len(features), value)


def _line(centre: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Targets and bent values of a map that only scales."""
    return np.array([centre, centre + scale]), np.array([0.0, 1.0])
