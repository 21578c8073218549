"""Latency of architectures that were not measured, predicted from those that were.

Several regressors stand behind one interface (`regressors`); cross-validation decides which predicts.
For a further device few measurements are enough, with a predictor that is there (`transfer`). What
errors to expect, docs/latency.md says. Letters: N networks, F features, A architectures.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from proxies.base import Direction, Estimate, Estimator
from proxies.latency.choice import REGRESSORS, choose_regressor, evaluate
from proxies.latency.error import NUM_FOLDS, HeldOutError, Times, cross_validate, held_out_error
from proxies.latency.features import FEATURE_NAMES, Features, architecture_features
from proxies.latency.region import MeasuredRegion
from proxies.latency.regressors import Regressor, fit_prices
from proxies.latency.transfer import TRANSFER, Transferred, regressor_from_json
from proxies.parts import ToSpec
from supernet.architecture import Architecture
from supernet.errors import UserError, first_line

__all__ = [
    "MIN_MEASURED",
    "MIN_NETWORKS",
    "NUM_FOLDS",
    "HeldOutError",
    "LatencyEstimator",
    "LatencyPredictor",
    "cross_validate",
    "held_out_error",
]

MIN_NETWORKS = 10  # to choose and fit a regressor
MIN_MEASURED = 5  # on a device to which a predictor is transferred


@dataclasses.dataclass(frozen=True, eq=False)
class LatencyPredictor:
    """Milliseconds from features. Made by `fit`, `transfer` or `from_json`.

    `name`: of the regressor, a key of `REGRESSORS` or "transfer"; `error`: its held-out error; `candidates`:
    that of each that was tried, by name.

    Examples:
      >>> import numpy as np
      >>> from proxies import LatencyPredictor, architecture_features
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> def to_spec(architecture):
      ...     return space.network_spec(architecture, num_classes=10)
      >>> drawn = space.decode_all(space.sample(np.random.default_rng(0), 40))
      >>> features = architecture_features(drawn, to_spec)
      >>> latency_ms = 0.01 + features.sum(axis=1) / 4e6  # of a device that has measured them
      >>> predictor = LatencyPredictor.fit(features[:30], latency_ms[:30])
      >>> bool(np.allclose(predictor.predict(features[30:]), latency_ms[30:], rtol=0.1))
      True
    """

    name: str
    regressor: Regressor
    region: MeasuredRegion
    error: HeldOutError
    candidates: Mapping[str, HeldOutError]

    @staticmethod
    def fit(features: Features, latency_ms: Times) -> "LatencyPredictor":
        """Fit measured networks: features [N, F], milliseconds [N]; under two seconds for 100 networks.

        `error` is that in the cross-validation by which the regressor was chosen: the least of four, and so
        perhaps a little too good. To have it without that, cross-validate `fit` itself, which chooses anew in
        each fold.

        Raises:
            UserError: fewer than `MIN_NETWORKS`, or a time that cannot be one.
        """
        features, latency_ms = _checked(features, latency_ms, MIN_NETWORKS, "a predictor")
        candidates = evaluate(features, latency_ms)
        name = choose_regressor(candidates)
        low, high = features.min(axis=0), features.max(axis=0)
        region = MeasuredRegion(fit_prices(features, latency_ms), low, high, len(features))
        regressor = REGRESSORS[name].fit(features, latency_ms)
        return LatencyPredictor(name, regressor, region, candidates[name], candidates)

    @staticmethod
    def transfer(other: "LatencyPredictor", features: Features, latency_ms: Times) -> "LatencyPredictor":
        """A predictor for a further device, from another's and a few measurements; a fraction of a second.

        `error` is from leaving one measured network out at a time: of ten networks, so a rough one. The
        measured region stays that of the other predictor. From 20 networks on, `fit` is about as good.

        Args:
            other: the other device's predictor, of networks of the same kind.
            features: of networks measured on the new device, [N, F]; the more they differ, the better.
            latency_ms: their milliseconds there, [N].

        Raises:
            UserError: fewer than `MIN_MEASURED`, or a time that cannot be one.
        """
        features, latency_ms = _checked(features, latency_ms, MIN_MEASURED, "a transfer")

        def fit(x: Features, y: Times) -> Transferred:
            return Transferred.fit(other.name, other.regressor, other.region.prices, x, y)

        held_out = cross_validate(fit, features, latency_ms, num_folds=len(features))
        regressor, error = fit(features, latency_ms), held_out_error(held_out, latency_ms)
        region = dataclasses.replace(other.region, prices=regressor.new)
        return LatencyPredictor(TRANSFER, regressor, region, error, {TRANSFER: error})

    def predict(self, features: Features) -> Times:
        """Milliseconds [N] of features [N, F]; 10,000 in well under a second."""
        return self.regressor(features)

    def outside(self, features: Features) -> NDArray[np.bool_]:
        """Whether networks [N] leave the measured region, so that the prediction extrapolates."""
        return self.region.outside(features)

    def widened(self, features: Features) -> "LatencyPredictor":
        """The same with a wider region: networks [N] that were measured since, and predicted well."""
        return dataclasses.replace(self, region=self.region.widened(features))

    def warning(self, features: Features) -> str | None:
        """What to tell a user about networks outside the measured region; None if there are none."""
        count = int(self.outside(features).sum())
        if not count:
            return None
        return (
            f"{count} of {len(features)} networks {'is' if count == 1 else 'are'} unlike the "
            f"{self.region.num_networks} that the latency predictor was fitted on: their predicted latency "
            "is an extrapolation. Measure more "
            "networks, or measure these before relying on it"
        )

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values; `from_json` gives back a predictor of equal predictions."""
        return {
            "features": list(FEATURE_NAMES),
            "name": self.name,
            "regressor": self.regressor.to_json(),
            "region": self.region.to_json(),
            "error": dataclasses.asdict(self.error),
            "candidates": {name: dataclasses.asdict(error) for name, error in self.candidates.items()},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "LatencyPredictor":
        """The inverse of `to_json`. Raises UserError for what is not such a dict."""
        try:
            if data["features"] != list(FEATURE_NAMES):
                raise ValueError("it was fitted on other features")
            return LatencyPredictor(
                data["name"],
                regressor_from_json(data["name"], data["regressor"]),
                MeasuredRegion.from_json(data["region"]),
                HeldOutError(**data["error"]),
                {name: HeldOutError(**error) for name, error in data["candidates"].items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError, xgboost.core.XGBoostError) as problem:
            raise UserError(
                f"this is no latency predictor of this version ({first_line(problem)}); measure the latency "
                "again"
            ) from None


@dataclasses.dataclass(frozen=True)
class LatencyEstimator(Estimator):
    """An `Estimator` of milliseconds on the measured device; `to_spec` as in `architecture_features`.

    Examples:
      >>> import numpy as np
      >>> from proxies import LatencyEstimator, LatencyPredictor, architecture_features
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> def to_spec(architecture):
      ...     return space.network_spec(architecture, num_classes=10)
      >>> drawn = space.decode_all(space.sample(np.random.default_rng(0), 20))
      >>> features = architecture_features(drawn, to_spec)
      >>> predictor = LatencyPredictor.fit(features, 0.01 + features.sum(axis=1) / 4e6)
      >>> LatencyEstimator(predictor, to_spec)(drawn[:3]).shape
      (3,)
    """

    predictor: LatencyPredictor
    to_spec: ToSpec
    name: str = "latency_ms"
    unit: str = "ms"
    direction: Direction = "min"

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Predictions [A]; 10,000 in about a second."""
        return Estimate(self.predictor.predict(self.features(architectures)))

    def features(self, architectures: Sequence[Architecture]) -> Features:
        """Features [A, F], for the predictor's `outside` and `warning` too."""
        return architecture_features(architectures, self.to_spec)


def _checked(features: Features, latency_ms: Times, least: int, what: str) -> tuple[Features, Times]:
    """Both as float64. Raises UserError for what no measurement gives."""
    features, latency_ms = np.asarray(features, np.float64), np.asarray(latency_ms, np.float64)
    if features.shape != (len(latency_ms), len(FEATURE_NAMES)):
        raise ValueError(f"features {features.shape} and times {latency_ms.shape} do not go together")
    if len(latency_ms) < least:
        raise UserError(f"latency_ms holds {len(latency_ms)} networks; {what} needs {least}: measure more")
    bad = np.flatnonzero(~(np.isfinite(latency_ms) & (latency_ms > 0)))
    if len(bad):
        raise UserError(
            f"latency_ms[{bad[0]}] is {latency_ms[bad[0]]}; a time is a positive number of milliseconds: "
            "measure that network again"
        )
    if not np.isfinite(features).all() or (features < 0).any():
        raise ValueError("a feature is negative or not finite")
    return features, latency_ms
