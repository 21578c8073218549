"""How good a set of trained networks is: the front that validation chooses, evaluated on the test split.

Letters: N networks, T test images, S seeds, R resamples (the first of 1 + R is what there is, unchanged).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from hytnas_jax.mobo import hypervolume, pareto_mask
from hytnas_jax.mobo.loop import REFERENCE_MARGIN


@dataclasses.dataclass(frozen=True)
class Box:
    """In which hypervolumes are measured, its own volume being 1: costs from `low` to `high`, by their
    logarithm, and errors from 0 to `worst`. What is beyond adds nothing."""

    low: float
    high: float
    worst: float

    @classmethod
    def of(cls, errors: np.ndarray, costs: np.ndarray) -> "Box":
        """That of networks on fronts, and by a tenth further, so that the worst and the dearest count too."""
        low, worst = float(costs.min()), (1 + REFERENCE_MARGIN) * float(errors.max())
        ratio = float(costs.max()) / low
        return cls(low, low * (ratio if ratio > 1 else np.e) ** (1 + REFERENCE_MARGIN), worst or 1.0)

    def volume(self, errors: np.ndarray, costs: np.ndarray) -> float:
        """Of networks with errors [N] and costs [N]."""
        heights = np.maximum(np.log(costs / self.low) / np.log(self.high / self.low), 0.0)
        return hypervolume(np.column_stack([errors / self.worst, heights]), np.ones(2))


@dataclasses.dataclass(frozen=True, eq=False)
class Points:
    """Networks trained from one seed: validation errors [N], wrong on test images [N, T], costs [N]."""

    validation_errors: np.ndarray
    wrong: np.ndarray
    costs: np.ndarray

    @property
    def front(self) -> np.ndarray:
        """Places of those that no other beats in cost and VALIDATION error; the test split has no say."""
        return np.flatnonzero(pareto_mask(np.column_stack([self.validation_errors, self.costs])))

    def take(self, places: np.ndarray) -> "Points":
        return Points(self.validation_errors[places], self.wrong[places], self.costs[places])

    def volumes(self, box: Box, weights: np.ndarray) -> np.ndarray:
        """Of the front by its test errors, where images count `weights` [Q, T] times: [Q]."""
        chosen = self.take(self.front)
        errors = weights @ chosen.wrong.T.astype(weights.dtype) / self.wrong.shape[1]
        return np.array([box.volume(row, chosen.costs) for row in errors])


@dataclasses.dataclass(frozen=True, eq=False)
class Resamples:
    """How often an image counts, float32 [1 + R, T], and which seeds are averaged, int [1 + R, S].

    The same for all sets, so that differences are of the same images.
    """

    weights: np.ndarray
    seeds: np.ndarray

    @classmethod
    def draw(cls, *, images: int, seeds: int, count: int) -> "Resamples":
        """With replacement, both."""
        rng = np.random.default_rng(0)
        weights = np.ones((1 + count, images), np.float32)
        weights[1:] = rng.multinomial(images, np.full(images, 1 / images), count)
        chosen = np.tile(np.arange(seeds), (1 + count, 1))
        chosen[1:] = rng.integers(0, seeds, (count, seeds))
        return cls(weights, chosen)

    def mean(self, volumes: np.ndarray) -> np.ndarray:
        """Of volumes [S, 1 + R], the mean over each resample's seeds: [1 + R]."""
        return volumes[self.seeds, np.arange(len(self.seeds))[:, None]].mean(axis=1)

    def of_draws(self, seeds: Sequence[Points], box: Box, count: int) -> np.ndarray:
        """Volumes of `count` networks drawn at random from one seed's, [1 + R]; the first is the median of
        the draws without resampled images, the others have a draw, a seed and images of their own."""
        rng = np.random.default_rng(1)
        plain, resampled = [], []
        for weights, (seed, *_) in zip(self.weights[1:], self.seeds[1:], strict=True):
            places = rng.permutation(len(seeds[seed].costs))[:count]
            both = seeds[seed].take(places).volumes(box, np.stack([self.weights[0], weights]))
            plain.append(both[0])
            resampled.append(both[1])
        return np.array([np.median(plain), *resampled])


def interval(values: np.ndarray) -> dict[str, float]:
    """Of values [1 + R]: the first, and the middle 95% of the others."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def cheapest_as_good(errors: np.ndarray, costs: np.ndarray, error: float) -> int | None:
    """The place of the cheapest network whose error is not above `error`; None where all are worse."""
    good = np.flatnonzero(errors <= error)
    return int(good[np.argmin(costs[good])]) if len(good) else None


def bought(seconds: Sequence[float], budget: float) -> int | None:
    """How many trainings, one after the other, a budget of seconds pays for; the one that it ends in is
    finished and counts too. None: they all cost less."""
    spent = np.cumsum(seconds)
    reached = np.flatnonzero(spent >= budget)
    return int(reached[0]) + 1 if len(reached) else None
