"""A predictor's knowledge of one device, moved to another by a few measurements there.

The new device's prices s are sought near the other's times one factor:

    minimise over r >= 0:  sum_n (1 - sum_f r_f c_nf / y_n)^2 + PULL (r - 1)' K^-1 (r - 1)

with r_f = s_f / (factor * the other's price), y_n the measured time, c_nf what feature f takes on the other
device, by its prediction, times that factor, and factor the geometric mean of measured over predicted. K is
the identity, plus `TOGETHER` wherever two features are of one measure (operations, elements or MACs): such
prices move together, as where a runtime takes longer to start any operation. So a few measurements
decide the prices of which they say much, and leave the others in proportion: a Gaussian prior, cut at zero.
docs/latency-transfer.md has the errors. Letters: N networks, F features.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from proxies.latency.choice import REGRESSORS
from proxies.latency.error import Times
from proxies.latency.features import FEATURE_NAMES, Features
from proxies.latency.regressors import Regressor, priced, row

TRANSFER = "transfer"
PULL, TOGETHER = 0.01, 3.0
_MEASURE = np.array([name.partition("_")[0] for name in FEATURE_NAMES])


@dataclasses.dataclass(frozen=True, eq=False)
class Transferred:
    """The other device's prediction, times what a network costs at the new prices over the old ones, [F].

    `other_name`: which kind of regressor the other is, as `regressor_from_json` takes it.
    """

    other_name: str
    other: Regressor
    old: Features
    new: Features

    @staticmethod
    def fit(
        other_name: str, other: Regressor, old: Features, features: Features, latency_ms: Times
    ) -> "Transferred":
        """From measurements of the new device.

        Args:
            other_name: which kind the other is.
            other: predicts for the other device.
            old: prices [F] >= 0 on it.
            features: of the measured networks, [N, F].
            latency_ms: measured on the new device, [N], positive.
        """
        predicted = other(features)
        factor = np.exp(np.mean(np.log(latency_ms / predicted)))
        parts = factor * features * old * (predicted / priced(features, old) / latency_ms)[:, None]
        known = np.flatnonzero(old)
        pull = _pull(known)
        equations = np.vstack([parts[:, known], pull])
        relative = np.ones(len(old))
        relative[known], _ = nnls(equations, np.append(np.ones(len(latency_ms)), pull.sum(axis=1)))
        return Transferred(other_name, other, old, factor * relative * old)

    def __call__(self, features: Features) -> Times:
        """Milliseconds [N] on the new device."""
        return self.other(features) * priced(features, self.new) / priced(features, self.old)

    def to_json(self) -> dict[str, Any]:
        """The other regressor, and both prices."""
        other = {"other_name": self.other_name, "other": self.other.to_json()}
        return {**other, "old": self.old.tolist(), "new": self.new.tolist()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Transferred":
        """The inverse of `to_json`. Raises as `regressor_from_json` does."""
        other = regressor_from_json(data["other_name"], data["other"])
        return Transferred(data["other_name"], other, row(data["old"]), row(data["new"]))


def _pull(known: NDArray[np.int64]) -> NDArray[np.float64]:
    """The square root of PULL K^-1 for the features numbered `known` [K], as rows of equations [K, K]."""
    together = _MEASURE[known][:, None] == _MEASURE[known]
    covariance = np.eye(len(known)) + TOGETHER * together
    return PULL**0.5 * np.linalg.cholesky(np.linalg.inv(covariance)).T


def regressor_from_json(name: str, data: Mapping[str, Any]) -> Regressor:
    """A regressor from its name, a key of `REGRESSORS` or "transfer", and what its `to_json` gave.

    Raises KeyError, TypeError, ValueError or XGBoostError for a name or data that cannot be one.
    """
    return Transferred.from_json(data) if name == TRANSFER else REGRESSORS[name].from_json(data)
