"""What a network's error will be once it is retrained, learnt from the networks that have been.

A search's estimate is of another scale: the supernet errs far more than a network of its own. In log-odds,

    error after retraining = a + b * estimate + noise of deviation s

with nothing known of a beforehand, b around 1 and not negative (so that what the search rates better is never
expected to be worse), and s around half of what the estimates themselves differ by. One retrained network
therefore shifts what is expected of all; the further from it, the less sure that is. b and s are integrated
out on a grid, a exactly (Bayesian linear regression). `benchmarks/search/retraining_order.py` tries it.

Letters: N networks, K retrained ones, B slopes, S deviations, Q quantiles.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from hytnas_jax.tasks.measure import ERROR, Measure

Floats = NDArray[np.float64]

# What is known before anything is retrained: slopes and deviations that may be, and how likely each is. A
# deviation is in standard deviations of the estimates' log-odds, and those are `LEAST_SPREAD` at least.
SLOPES = np.linspace(0.0, 2.0, 41)
SLOPE_WEIGHTS = norm.pdf(SLOPES, 1.0, 0.5)
DEVIATIONS = np.geomspace(0.05, 5.0, 25)
DEVIATION_WEIGHTS = norm.pdf(np.log(DEVIATIONS), np.log(0.5), 0.7)
LEAST_SPREAD = 0.1


@dataclasses.dataclass(frozen=True)
class Expected:
    """Of one network before it was retrained: the error rate expected, that one standard deviation (of the
    log-odds) to either side, and from how many retrained networks it was learnt."""

    error: float
    low: float
    high: float
    networks: int

    def __str__(self) -> str:
        """As "1.8% (0.7 to 4.7)"."""
        return self.told(ERROR)

    def told(self, measure: Measure) -> str:
        """For people, as `measure` has it."""
        return measure.spread(self.error, self.low, self.high)


@dataclasses.dataclass(frozen=True, eq=False)
class Forecast:
    """Log-odds of N error rates: what is expected, its standard deviation, from how many that was learnt."""

    mean: Floats
    std: Floats
    networks: int

    def of(self, row: int) -> Expected:
        """What is expected of one network."""
        low, middle, high = (float(self.at(deviations)[row]) for deviations in (-1, 0, 1))
        return Expected(middle, low, high, self.networks)

    @property
    def error(self) -> Floats:
        """The error rates in the middle of what is expected, [N]."""
        return self.at(0.0)

    def at(self, deviations: float) -> Floats:
        """The error rates [N] so many standard deviations above the middle."""
        return expit(self.mean + deviations * self.std)

    def quantiles(self, count: int) -> Floats:
        """The error rates at the middles of `count` equal shares of what is expected, rising, [N, Q]."""
        places = norm.ppf((np.arange(count) + 0.5) / count)
        return expit(self.mean[:, None] + places * self.std[:, None])


def forecast(
    estimates: Floats, unsure: Floats, retrained: Mapping[int, float], images: int
) -> Forecast | None:
    """What to expect of each network, retrained or not; None while none has been retrained.

    It is what the network would have on any number of images: what `images` leave to chance in those that
    have been retrained is known, and taken into account.

    Args:
      estimates: error rates [N], as the search has them.
      unsure: [N], their standard deviations; 0 where nothing is known of that.
      retrained: index of a network -> its error rate, on so many `images`.
    """
    if not retrained:
        return None
    rows = list(retrained)
    x, unsure = log_odds(estimates, images), _in_log_odds(unsure, estimates, images)
    errors = np.array([retrained[row] for row in rows])
    y, chance = log_odds(errors, images), _chance(errors, images)
    slopes, deviations = SLOPES[:, None, None], DEVIATIONS[:, None] * max(x.std(), LEAST_SPREAD)
    # [B, S, K]; the intercept is the mean of what a slope leaves, weighted by how sure each is.
    precision = 1 / (deviations**2 + chance + (slopes * unsure[rows]) ** 2)
    left = y - slopes * x[rows]
    total = precision.sum(axis=2)
    intercept = (precision * left).sum(axis=2) / total
    misfit = (precision * (left - intercept[..., None]) ** 2).sum(axis=2)
    weight = np.log(SLOPE_WEIGHTS[:, None] * DEVIATION_WEIGHTS)
    weight = weight + 0.5 * (np.log(precision).sum(axis=2) - np.log(total) - misfit)
    weight = np.exp(weight - weight.max())
    weight = (weight / weight.sum())[..., None]
    # [B, S, N]
    means = intercept[..., None] + slopes * x
    variances = 1 / total[..., None] + deviations**2 + (slopes * unsure) ** 2
    mean = (weight * means).sum(axis=(0, 1))
    variance = (weight * (variances + (means - mean) ** 2)).sum(axis=(0, 1))
    return Forecast(mean, np.sqrt(variance), len(rows))


def as_sure_as(errors: Mapping[int, float], deviations: Mapping[int, float], images: int) -> int:
    """Of how many images an error rate would vary as much as these do; `images` where that is not known.

    An error rate is binomial. 1 - AP and 1 - mIoU are no rates: many boxes of few images tell less than as
    many images would, or more. The median counts, since the few of a front are all on the same images.

    Args:
      errors: of retrained networks, in 0..1.
      deviations: the standard deviation of each with other images, NaN where it is not known.
      images: on so many they were found.
    """
    found = [
        error * (1 - error) / deviations[row] ** 2
        for row, error in errors.items()
        if 0 < error < 1 and deviations[row] > 0
    ]
    return max(1, round(float(np.median(found)))) if found else images


def log_odds(errors: Floats, images: int) -> Floats:
    """Of error rates on so many images, half of one more right and half of it wrong: finite."""
    return logit((errors * images + 0.5) / (images + 1))


def _chance(errors: Floats, images: int) -> Floats:
    """The variance of such log-odds between sets of so many images (Gart & Zweifel 1967)."""
    wrong = errors * images
    return 1 / (wrong + 0.5) + 1 / (images - wrong + 0.5)


def _in_log_odds(std: Floats, errors: Floats, images: int) -> Floats:
    """The standard deviation of the log-odds of error rates that are known to within `std`."""
    share = (errors * images + 0.5) / (images + 1)
    return std / (share * (1 - share))
