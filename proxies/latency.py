"""Latency of architectures that were not measured, predicted from those that were.

Two models, one over the other. Non-negative least squares gives every feature (`latency_features`)
a price in milliseconds that is never below zero, so that more work never predicts less time.
XGBoost then learns the logarithm of measured over priced time: caches and other ways in which a
device departs from a sum. It is kept short, for a few dozen networks are all it sees: where the sum
is right already it changes nothing, where a device is 1.6 times slower beyond some size it takes up
to a third off the error. XGBoost alone errs two to four times as much (benchmarks/latency_predictor.py).
Letters: N networks, F features, A architectures.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import nnls

from proxies.base import Direction
from proxies.latency_features import FEATURE_NAMES, Features, architecture_features
from proxies.parts import ToSpec
from proxies.ranking import spearman_rho
from supernet.architecture import Architecture
from supernet.errors import UserError

Times = NDArray[np.float64]  # [N], milliseconds

MIN_NETWORKS = 10
NUM_FOLDS = 5
OUTSIDE_FRACTION = 0.1

NUM_TREES = 60
_XGBOOST = {
    "max_depth": 2,
    "learning_rate": 0.05,
    "reg_lambda": 10.0,
    "min_child_weight": 5,
    "base_score": 0.0,  # without a tree the priced time stands
    "nthread": 1,
    "verbosity": 0,
}


@dataclasses.dataclass(frozen=True)
class HeldOutError:
    """How good predictions are for networks that the predictor was not fitted on.

    `spearman`: rank correlation of predicted and measured, 0 where all predictions are the same;
    `mape`: mean absolute error as a fraction of the measured time. Both from k-fold cross-validation,
    every network predicted once.
    """

    spearman: float
    mape: float
    num_networks: int


@dataclasses.dataclass(frozen=True)
class LatencyPredictor:
    """Milliseconds from features. Made by `LatencyPredictor.fit` or `from_json`.

    `prices` [F] are milliseconds for one unit of a feature, `low` and `high` [F] the range of each
    over the networks that were measured.
    """

    prices: Features
    low: Features
    high: Features
    correction: xgboost.Booster
    error: HeldOutError

    @staticmethod
    def fit(features: Features, latency_ms: Times) -> "LatencyPredictor":
        """Fit measured networks: features [N, F], milliseconds [N]; about a second.

        Raises:
            UserError: fewer than `MIN_NETWORKS`, or a time or feature that cannot be one.
        """
        features, latency_ms = _checked(features, latency_ms)
        held_out = cross_validate(_fit_prices_and_correction, features, latency_ms)
        prices = fit_prices(features, latency_ms)
        return LatencyPredictor(
            prices,
            features.min(axis=0),
            features.max(axis=0),
            _fit_correction(features, latency_ms / (features @ prices)),
            held_out_error(held_out, latency_ms),
        )

    def __call__(self, features: Features) -> Times:
        """Predicted milliseconds [N] of features [N, F]; 10,000 in well under a second."""
        return _predict(self.prices, self.correction, features)

    def outside(self, features: Features) -> NDArray[np.bool_]:
        """Whether networks [N] leave the measured region, so that the prediction extrapolates.

        So it is where there is a kind of operation that no measured network has, or where what lies
        beyond the measured ranges, at its price, is over `OUTSIDE_FRACTION` of the priced time.
        """
        features = np.asarray(features, np.float64)
        beyond = np.abs(features - np.clip(features, self.low, self.high)) @ self.prices
        unseen = (features[:, self.high == 0] > 0).any(axis=1)
        return unseen | (beyond > OUTSIDE_FRACTION * (features @ self.prices))

    def warning(self, features: Features) -> str | None:
        """What to tell a user about networks outside the measured region; None if there are none."""
        count = int(self.outside(features).sum())
        if not count:
            return None
        return (
            f"{count} of {len(features)} networks are unlike the {self.error.num_networks} that the latency "
            "predictor was fitted on: their predicted latency is an extrapolation. Measure more "
            "networks, or measure these before relying on it"
        )

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values; `from_json` gives back a predictor of equal predictions."""
        return {
            "features": list(FEATURE_NAMES),
            "prices": self.prices.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "correction": json.loads(self.correction.save_raw("json").decode()),
            "error": dataclasses.asdict(self.error),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "LatencyPredictor":
        """The inverse of `to_json`. Raises UserError for what is not such a dict."""
        try:
            if data["features"] != list(FEATURE_NAMES):
                raise ValueError("it was fitted on other features")
            correction = xgboost.Booster()
            correction.load_model(bytearray(json.dumps(data["correction"]).encode()))
            error = HeldOutError(**data["error"])
            prices, low, high = (_row(data[key]) for key in ("prices", "low", "high"))
            return LatencyPredictor(prices, low, high, correction, error)
        except (KeyError, TypeError, ValueError, xgboost.core.XGBoostError) as problem:
            reason = str(problem).splitlines()[0]
            raise UserError(
                f"this is no latency predictor of this version ({reason}); measure the latency again"
            ) from None


@dataclasses.dataclass(frozen=True)
class LatencyEstimator:
    """An `Estimator` of milliseconds on the measured device; `to_spec` as in `architecture_features`."""

    predictor: LatencyPredictor
    to_spec: ToSpec
    name: str = "latency_ms"
    unit: str = "ms"
    direction: Direction = "min"

    def __call__(self, architectures: Sequence[Architecture]) -> Times:
        """Predictions [A]; 10,000 in about a second."""
        return self.predictor(self.features(architectures))

    def features(self, architectures: Sequence[Architecture]) -> Features:
        """Features [A, F], for the predictor's `outside` and `warning` too."""
        return architecture_features(architectures, self.to_spec)


def fit_prices(features: Features, latency_ms: Times) -> Features:
    """Prices [F] >= 0 that minimise the sum of squared RELATIVE errors (Lawson and Hanson, 1974)."""
    scale = features.max(axis=0)
    scale[scale == 0] = 1
    prices, _ = nnls(features / scale / latency_ms[:, None], np.ones(len(latency_ms)))
    return prices / scale


def cross_validate(
    fit: Callable[[Features, Times], Callable[[Features], Times]], x: Features, y: Times
) -> Times:
    """Predictions [N] for x [N, F], each by a model fitted without its fold. The folds are fixed.

    Args:
        fit: (x, y) -> a function that predicts y [M] from x [M, F].
    """
    order = np.random.default_rng(0).permutation(len(y))
    predicted = np.empty(len(y))
    for fold in np.array_split(order, NUM_FOLDS):
        rest = np.setdiff1d(order, fold)
        predicted[fold] = fit(x[rest], y[rest])(x[fold])
    return predicted


def held_out_error(predicted: Times, measured: Times) -> HeldOutError:
    """The error of out-of-sample predictions [N]."""
    spearman = spearman_rho(predicted, measured)
    mape = float(np.mean(np.abs(predicted / measured - 1)))
    return HeldOutError(0.0 if math.isnan(spearman) else spearman, mape, len(measured))


def _fit_prices_and_correction(features: Features, latency_ms: Times) -> Callable[[Features], Times]:
    prices = fit_prices(features, latency_ms)
    correction = _fit_correction(features, latency_ms / (features @ prices))
    return lambda unseen: _predict(prices, correction, unseen)


def _fit_correction(features: Features, ratio: Times) -> xgboost.Booster:
    """XGBoost on the logarithm of measured over priced time, `ratio` [N]."""
    data = xgboost.DMatrix(features, label=np.log(ratio))
    return xgboost.train(_XGBOOST, data, NUM_TREES)


def _predict(prices: Features, correction: xgboost.Booster, features: Features) -> Times:
    features = np.asarray(features, np.float64)
    if not len(features):
        return np.zeros(0)
    return features @ prices * np.exp(correction.inplace_predict(features).astype(np.float64))


def _row(values: Any) -> Features:
    row = np.asarray(values, np.float64)
    if row.shape != (len(FEATURE_NAMES),) or not np.isfinite(row).all() or (row < 0).any():
        raise ValueError("a row of numbers is damaged")
    return row


def _checked(features: Features, latency_ms: Times) -> tuple[Features, Times]:
    """Both as float64. Raises UserError for what no measurement gives."""
    features, latency_ms = np.asarray(features, np.float64), np.asarray(latency_ms, np.float64)
    if features.shape != (len(latency_ms), len(FEATURE_NAMES)):
        raise ValueError(f"features {features.shape} and times {latency_ms.shape} do not go together")
    if len(latency_ms) < MIN_NETWORKS:
        raise UserError(
            f"latency_ms holds {len(latency_ms)} networks; a predictor needs {MIN_NETWORKS}: measure more"
        )
    bad = np.flatnonzero(~(np.isfinite(latency_ms) & (latency_ms > 0)))
    if len(bad):
        raise UserError(
            f"latency_ms[{bad[0]}] is {latency_ms[bad[0]]}; a time is a positive number of milliseconds: "
            "measure that network again"
        )
    if not np.isfinite(features).all() or (features < 0).any():
        raise ValueError("a feature is negative or not finite")
    return features, latency_ms
