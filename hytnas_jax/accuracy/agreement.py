"""How well estimates agree with the references: over all networks, within bands of cost, and at most.

Letters: N networks, R resamples.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from proxies.ranking import partial_tau, spearman_rho, tau_b, top_recall

BANDS = ("cheap", "middle", "dear")
ALL = "all"
TOP_FRACTION = 0.1
RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class Interval:
    """A value and the middle 95% of what resampled networks give for it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclasses.dataclass(frozen=True)
class Agreement:
    """Of one estimate with the references, over `networks` networks.

    tau, rho: Kendall's and Spearman's rank correlation. recall: the part of the truly best tenth that is
    among the estimate's best tenth. beyond_macs: Kendall's partial tau given the MACs. None where there is
    no ranking to agree with.
    """

    networks: int
    tau: Interval | None
    rho: Interval | None
    recall: Interval | None
    beyond_macs: float | None


def bands(cost: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Which of N networks are in which third of the range of log cost, and in all: name -> bool [N]."""
    log = np.log(cost)
    edges = np.linspace(log.min(), log.max(), len(BANDS) + 1)[1:-1]
    band = np.digitize(log, edges)
    return {ALL: np.ones(len(cost), bool)} | {name: band == n for n, name in enumerate(BANDS)}


def agreements(
    estimates: Mapping[str, NDArray[np.float64]],
    references: NDArray[np.float64],
    macs: NDArray[np.float64],
    members: Mapping[str, NDArray[np.bool_]],
) -> dict[str, dict[str, Agreement]]:
    """Estimate -> band -> how well it agrees; of estimates and references [N] more is better."""
    return {
        name: {
            band: _agreement(values[inside], references[inside], macs[inside])
            for band, inside in members.items()
        }
        for name, values in estimates.items()
    }


def ceiling(
    references: NDArray[np.float64],
    unsure: NDArray[np.float64],
    members: Mapping[str, NDArray[np.bool_]],
) -> dict[str, Interval | None]:
    """Band -> the tau that perfect knowledge of what N networks are worth would have with the references [N].

    Two normal distributions: what networks are worth (its variance is that of the references less that of its
    noise), and the noise (standard deviations `unsure` [N]). The interval is of R draws.
    """
    rng = np.random.default_rng(0)

    def drawn(values: NDArray[np.float64], noise: NDArray[np.float64]) -> Interval | None:
        variance = float(np.var(values, ddof=1)) - float(np.mean(noise**2)) if len(values) > 2 else 0.0
        if variance <= 0.0:
            return None
        worth = rng.normal(0, math.sqrt(variance), (RESAMPLES, len(values)))
        taus = [tau_b(w, w + noise * rng.standard_normal(len(w))) for w in worth]
        return Interval(float(np.mean(taus)), *map(float, np.quantile(taus, (0.025, 0.975))))

    return {band: drawn(references[inside], unsure[inside]) for band, inside in members.items()}


def training_noise(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Standard deviation of a training's result, from two trainings of each network [N], N >= 2.

    What a seed adds to all networks alike (they see the images in its order) ranks nothing and is left out.
    """
    return float(np.std(first - second, ddof=1) / np.sqrt(2))


def tau_with(references: NDArray[np.float64], estimate: NDArray[np.float64]) -> Interval | None:
    """Kendall's tau of an estimate [N] with the references [N]; None where there is no ranking to agree
    with."""
    return _resampled(tau_b, estimate, references)


def _agreement(
    estimate: NDArray[np.float64], references: NDArray[np.float64], macs: NDArray[np.float64]
) -> Agreement:
    beyond = partial_tau(estimate, references, macs)
    return Agreement(
        len(references),
        tau_with(references, estimate),
        _resampled(spearman_rho, estimate, references),
        _resampled(lambda a, b: top_recall(a, b, fraction=TOP_FRACTION), estimate, references),
        None if math.isnan(beyond) else beyond,
    )


def _resampled(
    statistic: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    estimate: NDArray[np.float64],
    references: NDArray[np.float64],
) -> Interval | None:
    value = statistic(estimate, references)
    if math.isnan(value):
        return None
    draws = np.random.default_rng(0).integers(0, len(references), (RESAMPLES, len(references)))
    low, high = np.nanquantile([statistic(estimate[d], references[d]) for d in draws], (0.025, 0.975))
    return Interval(value, float(low), float(high))
