"""How good predicted latencies are for networks that the predictor has not seen. Letters: N networks, F
features, M networks of a fold."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from proxies.latency.features import Features
from proxies.ranking import spearman_rho

Times = NDArray[np.float64]  # [N], milliseconds

NUM_FOLDS = 5


@dataclasses.dataclass(frozen=True)
class HeldOutError:
    """How good predictions are for networks that the predictor was not fitted on.

    `spearman`: rank correlation of predicted and measured, 0 where all predictions are the same;
    `mape`: mean absolute error as a fraction of the measured time. Both from cross-validation, every network
    predicted once.
    """

    spearman: float
    mape: float
    num_networks: int


def held_out_error(predicted: Times, measured: Times) -> HeldOutError:
    """The error of out-of-sample predictions [N]."""
    spearman = spearman_rho(predicted, measured)
    mape = float(np.mean(np.abs(predicted / measured - 1)))
    return HeldOutError(0.0 if math.isnan(spearman) else spearman, mape, len(measured))


def cross_validate(
    fit: Callable[[Features, Times], Callable[[Features], Times]],
    x: Features,
    y: Times,
    *,
    num_folds: int = NUM_FOLDS,
) -> Times:
    """Predictions [N] for x [N, F], each by a model fitted without its fold. The folds are fixed.

    Args:
        fit: (x, y) -> a function that predicts y [M] from x [M, F].
        num_folds: N leaves one network out at a time.
    """
    order = np.random.default_rng(0).permutation(len(y))
    predicted = np.empty(len(y))
    for fold in np.array_split(order, num_folds):
        rest = np.setdiff1d(order, fold)
        predicted[fold] = fit(x[rest], y[rest])(x[fold])
    return predicted
