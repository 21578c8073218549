"""Latency by a Gaussian process: what the priced time says, and smooth departures from it.

The logarithm of time is `PRIOR_SLOPE` times the logarithm of the priced time (`fit_prices`), plus a process
with one length scale over the standardised features and that logarithm. At a slope of 1 there would be
nothing left to learn: prices fit the networks that they are fitted to better than others. At 0 the process
would fall back to the mean time far from all that was measured. Between 0.3 and 0.85 the slope hardly matters
(on the measurements of docs/latency.md). Letters: N networks, F features, C = F + 1 columns, M networks that
are predicted.
"""

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from threadpoolctl import threadpool_limits

from proxies.latency.error import Times
from proxies.latency.features import FEATURE_NAMES, Features
from proxies.latency.regressors import fit_prices, priced, row

PRIOR_SLOPE = 0.7
NUM_COLUMNS = len(FEATURE_NAMES) + 1
# Starting value and range. A distance between standardised points grows as the square root of the columns.
LENGTH, LENGTHS = NUM_COLUMNS**0.5, (1.0, 1e3)
VARIANCE, VARIANCES = 1.0, (1e-3, 1e2)
NOISE, NOISES = 0.1, (1e-4, 2.0)

# These matrices are small: threads that wait for each other on a busy machine take longer than one.
_one_thread = threadpool_limits.wrap(limits=1, user_api="blas")


@dataclasses.dataclass(frozen=True, eq=False)
class Process:
    """The posterior mean of a fitted process, as a weighted sum over the networks that it was fitted to.

    `prices` [F]; `centre` and `scale` [C] standardise the columns; `inputs` [N, C] are the standardised
    networks, `weights` [N] theirs, for a kernel of variance 1 and `length`; `offset` is added.
    """

    prices: Features
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    inputs: NDArray[np.float64]
    weights: NDArray[np.float64]
    length: float
    offset: float

    @staticmethod
    @_one_thread
    def fit(features: Features, latency_ms: Times) -> "Process":
        """The hyperparameters are those of the highest likelihood (Rasmussen and Williams 2006, eq. 5.8)."""
        prices = fit_prices(features, latency_ms)
        columns = _columns(features, prices)
        centre, scale = columns.mean(axis=0), columns.std(axis=0)
        scale[scale <= 1e-9 * np.maximum(np.abs(centre), 1)] = 1  # the same for all networks
        target = np.log(latency_ms) - PRIOR_SLOPE * columns[:, -1]
        offset, spread = target.mean(), target.std() or 1.0
        kernel = ConstantKernel(VARIANCE, VARIANCES) * RBF(LENGTH, LENGTHS) + WhiteKernel(NOISE, NOISES)
        inputs = (columns - centre) / scale
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a range is reached: without noise it is
            process = GaussianProcessRegressor(kernel).fit(inputs, (target - offset) / spread)
        smooth = process.kernel_.k1
        weights = spread * smooth.k1.constant_value * process.alpha_
        return Process(prices, centre, scale, inputs, weights, float(smooth.k2.length_scale), float(offset))

    @_one_thread
    def __call__(self, features: Features) -> Times:
        """Milliseconds [M] of features [M, F]."""
        columns = _columns(features, self.prices)
        squares = cdist((columns - self.centre) / self.scale, self.inputs, "sqeuclidean")
        smooth = np.exp(-0.5 * squares / self.length**2) @ self.weights
        return np.exp(PRIOR_SLOPE * columns[:, -1] + self.offset + smooth)

    def to_json(self) -> dict[str, Any]:
        """All fields as lists and numbers."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value if isinstance(value, float) else value.tolist() for name, value in values.items()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Process":
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for damaged data."""
        weights = np.asarray(data["weights"], np.float64)
        inputs = np.asarray(data["inputs"], np.float64)
        centre = np.asarray(data["centre"], np.float64)
        scale = row(data["scale"], length=NUM_COLUMNS)
        length, offset = float(data["length"]), float(data["offset"])
        shapes = (weights.ndim, inputs.shape, centre.shape)
        if shapes != (1, (len(weights), NUM_COLUMNS), (NUM_COLUMNS,)):
            raise ValueError("an array has lost its shape")
        finite = all(np.isfinite(values).all() for values in (weights, inputs, centre, length, offset))
        if not finite or length <= 0 or not scale.all():
            raise ValueError("a number is damaged")
        return Process(row(data["prices"]), centre, scale, inputs, weights, length, offset)


def _columns(features: Features, prices: Features) -> NDArray[np.float64]:
    """The features and the logarithm of the priced time, [N, C]."""
    features = np.asarray(features, np.float64)
    return np.column_stack([features, np.log(priced(features, prices))])
