"""Shares of 0 to 1, such as error rates, learnt as log-odds.

What is expected of a share then stays between 0 and 1: a model that takes an error rate of -5% for possible
sees gains where there are none. And halving an error counts the same at 20% as at 2%.
"""

import dataclasses

import numpy as np
from scipy.special import expit, logit

from hytnas_jax.mobo.surrogates.base import Function, Surrogate
from hytnas_jax.mobo.surrogates.fit import Fitted, fit_surrogate

# A share nearer to 0 or 1 counts as this near: the odds of none in so many images are not infinite.
LEAST = 1e-3


def fit_share(
    surrogate: Surrogate,
    x: np.ndarray,
    y: np.ndarray,
    *,
    std: np.ndarray | None = None,
    sign: float,
    name: str,
    bent: bool,
) -> "FittedShare":
    """`fit_surrogate` for shares that are minimised: y [N] is `sign` (1 or -1) times a share."""
    shares = np.clip(sign * y, LEAST, 1.0 - LEAST)
    unsure = None if std is None else std / (shares * (1.0 - shares))  # the slope of the log-odds
    fitted = fit_surrogate(surrogate, x, sign * logit(shares), std=unsure, name=name, bent=bent)
    return FittedShare(fitted, sign)


@dataclasses.dataclass(frozen=True, eq=False)
class FittedShare:
    """`Fitted` in minimised shares; `inner` gives minimised log-odds."""

    inner: Fitted
    sign: float

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Predictor`."""
        quantiles = self.quantiles(features)
        return quantiles.mean(axis=1), quantiles.std(axis=1)

    def quantiles(self, features: np.ndarray) -> np.ndarray:
        """See `Fitted`."""
        return self._share(self.inner.quantiles(features))

    def draw(self, rng: np.random.Generator) -> Function:
        """See `Predictor`."""
        function = self.inner.draw(rng)
        return lambda features: self._share(function(features))

    def _share(self, odds: np.ndarray) -> np.ndarray:
        return self.sign * expit(self.sign * odds)
