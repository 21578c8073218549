"""Which network is retrained next: those with a role, then the one that is expected to add most to the front.

It follows from what the search has evaluated and from what became of the networks retrained so far, and from
nothing else: no time, no chance. Letters: N networks, M objectives, C costs, Q quantiles.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from hytnas_jax.mobo import hypervolume, pareto_mask
from hytnas_jax.mobo.expected_hypervolume import expected_improvement
from hytnas_jax.numbers import percent
from hytnas_jax.retrain.archive import Archive, Floats
from hytnas_jax.retrain.forecast import Expected, Forecast, forecast
from hytnas_jax.retrain.roles import SPREAD, choose_roles

BY_GAIN = "next by gain"
QUANTILES = 64
MARGIN = 0.1  # the hypervolume's corner lies so far beyond the worst of the front, in ranges


@dataclasses.dataclass(frozen=True)
class Next:
    """A network of the archive to retrain, by its row. gain: the part of the retrained networks' hypervolume
    that it is expected to add; None where it has a role. expected: None where nothing is known."""

    row: int
    role: str
    gain: float | None
    expected: Expected | None

    @property
    def why(self) -> str:
        """In words."""
        return self.role if self.gain is None else f"would add {percent(self.gain)} to the front"


class Succession:
    """The order in which the networks of an archive are retrained."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        names = list(archive.names)
        listed = choose_roles(archive.minimised[: archive.front], names, archive.front)
        self._has_gain = archive.error is not None and archive.costs.shape[1] > 0
        # Without errors to expect, or costs to weigh them against, networks far apart follow.
        self._listed = [(row, role) for row, role in listed if role != SPREAD or not self._has_gain]
        self._costs = _evenly_seen(archive.costs)

    def next(self, errors: Mapping[int, float], images: int, *, pending: Collection[int] = ()) -> Next | None:
        """Who follows those that have been retrained: row -> error rate, which is as sure as that of so many
        `images`. None where nobody is left, or nobody can be chosen before one of the `pending` has ended.

        Rows that are `pending`, which are being retrained, are taken to become what is expected of them.
        """
        errors = dict(sorted(errors.items()))  # sums of floats depend on their order
        expected = self.forecast(errors, images)
        for row, role in self._listed:
            if row not in errors and row not in pending:
                return Next(row, role, None, None if expected is None else expected.of(row))
        left = [row for row in range(len(self._archive)) if row not in errors and row not in pending]
        if not left or expected is None or not self._has_gain:
            return None
        likely = {row: float(expected.error[row]) for row in sorted(pending)}
        gains = self._gains({**errors, **likely}, expected, left)
        best = int(np.argmax(gains))
        return Next(left[best], BY_GAIN, float(gains[best]), expected.of(left[best]))

    def forecast(self, errors: Mapping[int, float], images: int) -> Forecast | None:
        """What is expected of every network, after these; None where nothing is known of errors."""
        objective = self._archive.error
        if objective is None:
            return None
        values, std = self._archive.values[:, objective], self._archive.std[:, objective]
        return forecast(values, std, errors, images)

    def _gains(self, errors: Mapping[int, float], expected: Forecast, rows: Sequence[int]) -> Floats:
        """The part of the retrained ones' hypervolume that each of `rows` is expected to add to it."""
        became = np.column_stack([list(errors.values()), self._costs[list(errors)]])
        corner = self._corner(errors, expected)
        likely = expected.quantiles(QUANTILES)[rows]
        costs = np.repeat(self._costs[rows][:, :, None], QUANTILES, axis=2)
        gains = expected_improvement(np.concatenate([likely[:, None], costs], axis=1), became, corner)
        return gains / (hypervolume(became, corner) or gains.max() or 1.0)

    def _corner(self, errors: Mapping[int, float], expected: Forecast) -> Floats:
        """The corner of the hypervolume, [1 + C]: a little worse than the front in everything.

        Costs are those of the search's front. Of the errors, those that became or are expected of it, only
        those count that nothing dominates: a network that has learnt nothing moves no corner.
        """
        front = range(self._archive.front)
        rows = [*errors, *(row for row in front if row not in errors)]
        seen = np.array([errors.get(row, expected.error[row]) for row in rows])
        of_front = pareto_mask(np.column_stack([seen, self._costs[rows]]))
        return np.array([_beyond(seen[of_front]), *(_beyond(costs) for costs in self._costs[front].T)])


def _evenly_seen(costs: Floats) -> Floats:
    """Costs [N, C] so that halving one counts the same wherever it is: logarithms, where there are any."""
    return np.where((costs > 0).all(axis=0), np.log(np.where(costs > 0, costs, 1.0)), costs)


def _beyond(values: Floats) -> float:
    """A little more than the largest of values [N]."""
    largest, size = values.max(), max(abs(values.max()), 1.0)
    reach = np.ptp(values)
    return float(largest + MARGIN * (reach if reach > 1e-9 * size else size))
