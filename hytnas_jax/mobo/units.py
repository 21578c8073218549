"""Objectives in units in which a search can compute, whatever units the user's are.

Squares of 1e300 are infinite and those of 1e-300 are 0, and a value that stands for "failed" makes all
others look alike. So `suggest` looks at objectives whose outliers are clipped and that are divided by a
power of two. Where values are ordinary, nothing changes: not one bit.

Letters: N architectures, M objectives. All is minimised.
"""

import dataclasses

import numpy as np

from hytnas_jax.mobo.problem import Objective, Observations, Problem

# Values whose largest is within these powers of two are ordinary: models compute with them as they are.
ORDINARY = (-20, 60)
# An outlier is so many times the distance of the quartiles away from them.
FAR = 1e6
# Further away than anything that was observed, and its fourth power is finite.
FURTHEST = 2.0**200


@dataclasses.dataclass(frozen=True, eq=False)
class Units:
    """`low`, `high` [M]: what values are clipped to; then they are divided by 2 to the power of `exponents`
    [M]."""

    low: np.ndarray
    high: np.ndarray
    exponents: np.ndarray

    @classmethod
    def of(cls, problem: Problem, values: np.ndarray) -> "Units":
        """Units in which finite, minimised values [N, M] are ordinary; of shares, and of objectives with a
        bound, outliers stay what they are."""
        num = len(problem.objectives)
        low, high, exponents = np.full(num, -np.inf), np.full(num, np.inf), np.zeros(num, np.int64)
        bounded = {bound.objective for bound in problem.bounds}
        for m, objective in enumerate(problem.objectives):
            if objective.is_share or len(values) == 0:
                continue
            if objective.name not in bounded:
                low[m], high[m] = _fences(values[:, m])
            largest = np.abs(np.clip(values[:, m], low[m], high[m])).max()
            exponent = int(np.frexp(largest)[1])
            if largest > 0 and not ORDINARY[0] <= exponent <= ORDINARY[1]:
                exponents[m] = exponent
        return cls(low, high, exponents)

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Minimised values [N, M] in these units."""
        return np.ldexp(np.clip(values, self.low, self.high), -self.exponents)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """What values [N, M] in these units are in the user's; at most what 64 bits hold."""
        largest = np.finfo(np.float64).max
        with np.errstate(over="ignore", under="ignore"):
            return np.clip(np.ldexp(values, self.exponents), -largest, largest)

    def of_problem(self, problem: Problem) -> Problem:
        """The same problem in these units."""
        places = {objective.name: m for m, objective in enumerate(problem.objectives)}
        return dataclasses.replace(
            problem,
            objectives=tuple(self._of_objective(m, o) for m, o in enumerate(problem.objectives)),
            bounds=tuple(
                dataclasses.replace(bound, worst=float(self._shrunk(bound.worst, places[bound.objective])))
                for bound in problem.bounds
            ),
        )

    def of_observations(self, problem: Problem, observations: Observations) -> Observations:
        """The same observations in these units."""
        values, std = problem.minimised(observations.values), observations.std
        values = np.where(np.isfinite(values), self.scaled(values), np.nan)
        return Observations(
            observations.genes,
            problem.in_user_units(values),
            None if std is None else np.ldexp(std, -self.exponents),
        )

    def _of_objective(self, m: int, objective: Objective) -> Objective:
        """A known one may be far beyond what was observed elsewhere in the space."""
        known, sign = objective.known, 1.0 if objective.direction == "min" else -1.0
        if known is None:
            return objective

        def scaled(genes: np.ndarray) -> np.ndarray:
            return sign * self._shrunk(np.clip(sign * known(genes), self.low[m], self.high[m]), m)

        return dataclasses.replace(objective, known=scaled)

    def _shrunk(self, values: np.ndarray | float, m: int) -> np.ndarray:
        with np.errstate(over="ignore", under="ignore"):
            return np.clip(np.ldexp(values, -self.exponents[m]), -FURTHEST, FURTHEST)


def _fences(values: np.ndarray) -> tuple[float, float]:
    """What is no outlier among values [N]: everything, where half of them are the same."""
    first, third = np.quantile(values, (0.25, 0.75), method="nearest")
    with np.errstate(over="ignore"):
        reach = FAR * (third - first)
        return (first - reach, third + reach) if reach > 0 else (-np.inf, np.inf)
