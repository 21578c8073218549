"""The ways of predicting a latency from features that a predictor chooses among, and their JSON.

`REGRESSORS` lists them, simplest first. Each is a class with `fit` and `from_json` whose objects predict; a
further one is one class more. The features (`latency_features`) decide more than the regressor does:
docs/latency.md has the errors. Letters: N networks, F features.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import nnls

from proxies.latency.error import Times
from proxies.latency.features import FEATURE_NAMES, Features

LEAST_MS = 1e-6  # a priced time is never less, so that it has a logarithm: a nanosecond

_CORRECTION_TREES = 60
_CORRECTION = {
    "max_depth": 2,
    "learning_rate": 0.05,
    "reg_lambda": 10.0,
    "min_child_weight": 5,
    "base_score": 0.0,  # without a tree the priced time stands
    "nthread": 1,
    "verbosity": 0,
}
_TREES = 200
_ALONE = {"max_depth": 3, "learning_rate": 0.05, "subsample": 0.8, "seed": 0, "nthread": 1, "verbosity": 0}


class Regressor(Protocol):
    """A fitted one."""

    def __call__(self, features: Features) -> Times:
        """Milliseconds [N], positive and finite, of features [N, F]; 10,000 in well under a second."""
        ...

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes one of equal predictions."""
        ...


class Candidate(Protocol):
    """Makes regressors. Nothing is random: the same networks give the same predictions."""

    def fit(self, features: Features, latency_ms: Times, /) -> Regressor:
        """From features [N, F] >= 0 and milliseconds [N] > 0."""
        ...

    def from_json(self, data: Mapping[str, Any], /) -> Regressor:
        """The inverse of `to_json`. Damaged data is a KeyError, TypeError, ValueError or XGBoostError."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class Prices:
    """`prices` [F] >= 0: milliseconds for one unit of each feature. More work is never less time."""

    prices: Features

    @staticmethod
    def fit(features: Features, latency_ms: Times) -> "Prices":
        """See `fit_prices`."""
        return Prices(fit_prices(features, latency_ms))

    def __call__(self, features: Features) -> Times:
        return priced(features, self.prices)

    def to_json(self) -> dict[str, Any]:
        return {"prices": self.prices.tolist()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Prices":
        return Prices(row(data["prices"]))


@dataclasses.dataclass(frozen=True, eq=False)
class CorrectedPrices:
    """Prices, and XGBoost on the logarithm of measured over priced time: caches and other ways in which a
    device departs from a sum. It is kept short, for a few dozen networks are all it sees."""

    prices: Features
    correction: xgboost.Booster

    @staticmethod
    def fit(features: Features, latency_ms: Times) -> "CorrectedPrices":
        prices = fit_prices(features, latency_ms)
        data = xgboost.DMatrix(features, label=np.log(latency_ms / priced(features, prices)))
        return CorrectedPrices(prices, xgboost.train(_CORRECTION, data, _CORRECTION_TREES))

    def __call__(self, features: Features) -> Times:
        return priced(features, self.prices) * np.exp(_boosted(self.correction, features))

    def to_json(self) -> dict[str, Any]:
        return {"prices": self.prices.tolist(), "correction": _booster_to_json(self.correction)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "CorrectedPrices":
        return CorrectedPrices(row(data["prices"]), _booster_from_json(data["correction"]))


@dataclasses.dataclass(frozen=True, eq=False)
class Trees:
    """XGBoost alone, on the logarithm of time: no sum is assumed, and none is known beyond what was seen."""

    trees: xgboost.Booster

    @staticmethod
    def fit(features: Features, latency_ms: Times) -> "Trees":
        return Trees(xgboost.train(_ALONE, xgboost.DMatrix(features, label=np.log(latency_ms)), _TREES))

    def __call__(self, features: Features) -> Times:
        return np.exp(_boosted(self.trees, features))

    def to_json(self) -> dict[str, Any]:
        return {"trees": _booster_to_json(self.trees)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Trees":
        return Trees(_booster_from_json(data["trees"]))


def fit_prices(features: Features, latency_ms: Times) -> Features:
    """Prices [F] >= 0 that minimise the sum of squared RELATIVE errors (Lawson and Hanson, 1974)."""
    scale = features.max(axis=0)
    scale[scale == 0] = 1
    prices, _ = nnls(features / scale / latency_ms[:, None], np.ones(len(latency_ms)))
    return prices / scale


def priced(features: Features, prices: Features) -> Times:
    """The sum [N] of features [N, F] at their prices [F], in milliseconds."""
    return np.maximum(np.asarray(features, np.float64) @ prices, LEAST_MS)


def _boosted(booster: xgboost.Booster, features: Features) -> Times:
    """What the trees say of features [N, F], float64 [N]."""
    features = np.asarray(features, np.float64)
    if not len(features):
        return np.zeros(0)
    return booster.inplace_predict(features).astype(np.float64)


def row(values: Any, *, length: int = len(FEATURE_NAMES)) -> NDArray[np.float64]:
    """Numbers of a JSON file, none below zero, as float64 [length]. Raises ValueError for others."""
    numbers = np.asarray(values, np.float64)
    if numbers.shape != (length,) or not np.isfinite(numbers).all() or (numbers < 0).any():
        raise ValueError("a row of numbers is damaged")
    return numbers


def _booster_to_json(booster: xgboost.Booster) -> Any:
    return json.loads(booster.save_raw("json").decode())


def _booster_from_json(data: Any) -> xgboost.Booster:
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(data).encode()))
    return booster
