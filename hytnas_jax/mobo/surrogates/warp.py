"""Targets bent towards a normal distribution, and predictions bent back.

An objective often has a long tail on its bad side: networks that learn nothing. Unbent, the tail fills the
range and the good ones look alike; a surrogate's errors are then not normal either.
"""

import dataclasses

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import yeojohnson, yeojohnson_llf

LEAST_POWER, LARGEST_POWER = -3.0, 5.0
# The power's prior is normal around 1, which bends nothing.
POWER_DEVIATION = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Warp:
    """A rising, piecewise linear map between K targets and their bent values.

    Beyond the ends it goes on with the mean slope of the half of the targets next to that end.

    targets, bent: float64 [K], both rising, K >= 2.
    """

    targets: np.ndarray
    bent: np.ndarray

    def forward(self, targets: np.ndarray) -> np.ndarray:
        """Targets of any shape -> bent values."""
        return self._map(targets, self.targets, self.bent)

    def inverse(self, bent: np.ndarray) -> np.ndarray:
        """Bent values of any shape -> values in the targets' units."""
        return self._map(bent, self.bent, self.targets)

    @staticmethod
    def _map(values: np.ndarray, places: np.ndarray, images: np.ndarray) -> np.ndarray:
        def slope(first: int, last: int) -> float:
            return float((images[last] - images[first]) / (places[last] - places[first]))

        middle, end = len(places) // 2, len(places) - 1
        below = np.minimum(values - places[0], 0.0) * slope(0, max(middle, 1))
        above = np.maximum(values - places[end], 0.0) * slope(min(middle, end - 1), end)
        return np.interp(values, places, images) + below + above


def fit_warp(y: np.ndarray) -> Warp:
    """The most probable power transform (Yeo & Johnson 2000, doi 10.1093/biomet/87.4.954).

    Args:
        y: float64 [N], finite, not all equal.

    Returns:
        the map; the bent y have mean 0 and deviation 1.
    """
    centred = (y - np.median(y)) / np.std(y)
    power = minimize_scalar(
        lambda power: 0.5 * ((power - 1.0) / POWER_DEVIATION) ** 2 - yeojohnson_llf(power, centred),
        bounds=(LEAST_POWER, LARGEST_POWER),
        method="bounded",
    ).x
    bent = yeojohnson(centred, power)
    bent = (bent - bent.mean()) / bent.std()
    places, first = np.unique(bent, return_index=True)
    return Warp(y[first], places)
