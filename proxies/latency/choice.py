"""Which regressor predicts a device's latency: all are cross-validated on the same folds.

One is kept that has the least mean error, or a simpler one that is about as good. Letters: N networks, F
features.
"""

from collections.abc import Mapping

from proxies.latency.error import HeldOutError, Times, cross_validate, held_out_error
from proxies.latency.features import Features
from proxies.latency.process import Process
from proxies.latency.regressors import Candidate, CorrectedPrices, Prices, Trees

# Simplest first: of about equal ones the first is kept.
REGRESSORS: dict[str, Candidate] = {
    "nnls": Prices,
    "nnls+xgboost": CorrectedPrices,
    "gp": Process,
    "xgboost": Trees,
}
NEAR_TIE = 0.02  # errors within this fraction of the least are about equal


def evaluate(features: Features, latency_ms: Times) -> dict[str, HeldOutError]:
    """The held-out error of each of `REGRESSORS` on features [N, F] and milliseconds [N]."""
    return {
        name: held_out_error(cross_validate(candidate.fit, features, latency_ms), latency_ms)
        for name, candidate in REGRESSORS.items()
    }


def choose_regressor(errors: Mapping[str, HeldOutError]) -> str:
    """The first name whose mean error is within `NEAR_TIE` of the least."""
    least = min(error.mape for error in errors.values())
    return next(name for name, error in errors.items() if error.mape <= (1 + NEAR_TIE) * least)
