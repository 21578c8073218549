"""What is searched: genes, objectives and limits, as plain arrays and functions.

Everything inside `mobo` MINIMISES: `Problem.minimised` turns the sign of "max" objectives once, on the
way in, and `Problem.in_user_units` turns it back on the way out.

Letters of the shapes: N architectures, G genes, M objectives, L limits, F features.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np

from supernet.errors import UserError
from supernet.row_keys import row_keys

# What no objective comes near to; a hypervolume of four objectives up to here is finite.
LARGEST = 1e75

Direction = Literal["min", "max"]
GeneFunction = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Objective:
    """One number to make small or large.

    `known` gives its exact value for genes [N, G] as float64 [N] where that is cheap (parameters, MACs,
    memory, a latency predictor): such an objective is never modelled. None: it has to be evaluated.
    `is_share` says that values are shares of 0 to 1 (error rates), which are modelled as log-odds;
    `is_estimated`, that an evaluation tells how unsure it is.

    Examples:
      >>> from hytnas_jax import Objective
      >>> error = Objective("error", "min", is_share=True)  # has to be evaluated
      >>> Objective("size", "min", known=lambda genes: genes.sum(axis=1)).name
      'size'
    """

    name: str
    direction: Direction
    unit: str = ""
    known: GeneFunction | None = None
    is_share: bool = False
    is_estimated: bool = False

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max"):
            raise UserError(
                f"direction={self.direction!r} of objective {self.name!r}: must be 'min' or 'max'"
            )


@dataclasses.dataclass(frozen=True)
class Limit:
    """A known constraint `value(genes) <= maximum`, in `value`'s units. It is kept, not hoped for.

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import Limit
      >>> limit = Limit("size", 10.0, lambda genes: genes.sum(axis=1))
      >>> limit.value(np.array([[3, 4], [9, 9]])) <= limit.maximum
      array([ True, False])
    """

    name: str
    maximum: float
    value: GeneFunction


@dataclasses.dataclass(frozen=True)
class Bound:
    """A limit on an objective that has to be evaluated: nothing worse than `worst`, in the user's units.

    Whether it is kept is known only afterwards; before, there is a probability.

    Examples:
      >>> from hytnas_jax import Bound
      >>> Bound("error", worst=0.1)
      Bound(objective='error', worst=0.1)
    """

    objective: str
    worst: float


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """A space of integer genes with two to four objectives.

    cardinalities: int [G], the number of choices of each gene; gene g takes 0 .. cardinalities[g] - 1.
    canonical: genes [N, G] -> genes [N, G] with those that change nothing set to 0; two architectures
        are the same exactly when their canonical genes are.
    features: genes [N, G] -> float64 [N, F], what the surrogates see.
    sample: (rng, n) -> genes [n, G], uniform.
    bounds: limits on objectives that are evaluated.
    listing: int [R, G], canonical: everything there is, where not all combinations of genes exist (the rows
        of a table).

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import Limit, Objective, Problem
      >>> from supernet import built_in_space, to_features
      >>> space = built_in_space("hybrid-small")
      >>> problem = Problem(
      ...     cardinalities=space.cardinalities,
      ...     objectives=(Objective("error", "min"), Objective("latency_ms", "min", "ms")),
      ...     limits=(Limit("size", 20.0, lambda genes: genes.sum(axis=1)),),
      ...     canonical=space.canonical,
      ...     features=lambda genes: to_features(space, genes),
      ...     sample=space.sample,
      ... )
      >>> problem.feasible(np.zeros((1, len(space.genes)), int))
      array([ True])
    """

    cardinalities: np.ndarray
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...]
    canonical: GeneFunction
    features: GeneFunction
    sample: Callable[[np.random.Generator, int], np.ndarray]
    bounds: tuple[Bound, ...] = ()
    listing: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not 2 <= len(self.objectives) <= 4:
            raise UserError(f"{len(self.objectives)} objectives: the search takes two to four")
        names = [objective.name for objective in self.objectives]
        if len(set(names)) < len(names):
            raise UserError(f"objectives {names}: each may be named once")
        if self.cardinalities.ndim != 1 or np.any(self.cardinalities < 1):
            raise UserError(f"cardinalities={self.cardinalities.tolist()}: must be [G] counts of at least 1")
        for bound in self.bounds:
            if bound.objective not in names:
                raise UserError(f"bound on {bound.objective!r}: is none of the objectives {names}")

    @property
    def signs(self) -> np.ndarray:
        """float64 [M]: +1 for "min", -1 for "max"."""
        return np.array([1.0 if o.direction == "min" else -1.0 for o in self.objectives])

    def minimised(self, values: np.ndarray) -> np.ndarray:
        """values [N, M] in the user's units -> [N, M] where smaller is better."""
        return values * self.signs

    def in_user_units(self, minimised: np.ndarray) -> np.ndarray:
        """The inverse of `minimised`."""
        return minimised * self.signs

    def limit_values(self, genes: np.ndarray) -> np.ndarray:
        """genes [N, G] -> float64 [N, L], each limit's value."""
        values = [np.asarray(limit.value(genes), np.float64) for limit in self.limits]
        return np.stack(values, axis=1) if values else np.zeros((len(genes), 0))

    def excess(self, limit_values: np.ndarray) -> np.ndarray:
        """limit_values [N, L] -> [N, L], how far above its maximum relative to it; <= 0 is kept.

        A value that is not a number counts as far above.
        """
        maxima = np.array([limit.maximum for limit in self.limits])
        scale = np.where(maxima == 0.0, 1.0, np.abs(maxima))
        with np.errstate(over="ignore"):
            excess = (limit_values - maxima) / scale
        return np.clip(np.nan_to_num(excess, nan=1e9), -1e100, 1e100)

    def feasible(self, genes: np.ndarray) -> np.ndarray:
        """genes [N, G] -> bool [N], whether every limit is kept."""
        return np.all(self.excess(self.limit_values(genes)) <= 0.0, axis=1)

    def within_bounds(self, minimised: np.ndarray) -> np.ndarray:
        """minimised values [N, M] -> bool [N], whether every bound is kept."""
        kept = np.ones(len(minimised), bool)
        for m, worst in self._minimised_bounds():
            kept &= minimised[:, m] <= worst
        return kept

    def probability_within_bounds(self, quantiles: np.ndarray) -> np.ndarray:
        """Of what independent, minimised objectives may be, quantiles [N, M, Q]: float64 [N]."""
        probability = np.ones(len(quantiles))
        for m, worst in self._minimised_bounds():
            probability *= np.mean(quantiles[:, m] <= worst, axis=1)
        return probability

    def bound_excess(self, quantiles: np.ndarray) -> np.ndarray:
        """Of minimised quantiles [N, M, Q]: [N, B], how far above each bound, relative to it, an objective is
        if it turns out well (its second best quantile); <= 0: the bound is kept with 2 chances in Q or more.
        """
        excesses = [
            (quantiles[:, m, 1] - worst) / (abs(worst) or 1.0) for m, worst in self._minimised_bounds()
        ]
        return np.stack(excesses, axis=1) if excesses else np.zeros((len(quantiles), 0))

    def _minimised_bounds(self) -> list[tuple[int, float]]:
        names = [objective.name for objective in self.objectives]
        indices = [names.index(bound.objective) for bound in self.bounds]
        return [(m, bound.worst * self.signs[m]) for m, bound in zip(indices, self.bounds, strict=True)]


@dataclasses.dataclass(frozen=True, eq=False)
class Observations:
    """Everything evaluated so far, in order.

    genes: int [N, G], canonical. values: float64 [N, M] in the user's units; a row with a NaN is an
    evaluation that failed: it is never chosen again and never fitted. std: float64 [N, M], how unsure
    the values are, None where nothing is known of that: the surrogates find noise in the values too.

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import Observations
      >>> seen = Observations(np.array([[0, 1], [2, 0]]), np.array([[0.3, 12.0], [np.nan, 9.0]]))
      >>> seen.succeeded
      array([ True, False])
    """

    genes: np.ndarray
    values: np.ndarray
    std: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.genes.ndim != 2 or self.values.ndim != 2 or len(self.genes) != len(self.values):
            raise ValueError(
                f"genes {self.genes.shape} and values {self.values.shape}: expected [N, G] and [N, M]"
            )

    @property
    def succeeded(self) -> np.ndarray:
        """bool [N]: every value is finite."""
        return np.all(np.isfinite(self.values), axis=1)


def usable(values: np.ndarray) -> np.ndarray:
    """The values, with NaN (it has failed) for each that is not finite or beyond `LARGEST`."""
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def unseen(genes: np.ndarray, seen: Iterable[bytes]) -> np.ndarray:
    """Indices into genes [N, G] of the rows not in `seen`, the first of equal rows only."""
    known = set(seen)
    indices = []
    for index, key in enumerate(row_keys(genes)):
        if key not in known:
            known.add(key)
            indices.append(index)
    return np.array(indices, np.int64)
