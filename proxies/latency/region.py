"""Which networks are like those that were measured. Letters: N networks, F features."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proxies.latency.features import Features
from proxies.latency.regressors import priced, row

OUTSIDE_FRACTION = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredRegion:
    """The ranges of what was measured.

    `low` and `high` [F]: of each feature over the `num_networks` measured; `prices` [F] weigh them, in
    milliseconds for one unit of a feature.
    """

    prices: Features
    low: Features
    high: Features
    num_networks: int

    def outside(self, features: Features) -> NDArray[np.bool_]:
        """Whether networks [N] leave the region, so that a prediction extrapolates.

        So it is where there is a kind of operation that no measured network has, or where what lies
        beyond the measured ranges, at its price, is over `OUTSIDE_FRACTION` of the priced time.
        """
        features = np.asarray(features, np.float64)
        beyond = np.abs(features - np.clip(features, self.low, self.high)) @ self.prices
        unseen = (features[:, self.high == 0] > 0).any(axis=1)
        return unseen | (beyond > OUTSIDE_FRACTION * priced(features, self.prices))

    def widened(self, features: Features) -> "MeasuredRegion":
        """The region when networks [N] have been measured too."""
        low, high = np.vstack([self.low, features]), np.vstack([self.high, features])
        count = self.num_networks + len(features)
        return MeasuredRegion(self.prices, low.min(axis=0), high.max(axis=0), count)

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values."""
        rows = {name: getattr(self, name).tolist() for name in ("prices", "low", "high")}
        return {**rows, "num_networks": self.num_networks}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "MeasuredRegion":
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for damaged data."""
        prices, low, high = (row(data[name]) for name in ("prices", "low", "high"))
        return MeasuredRegion(prices, low, high, int(data["num_networks"]))
