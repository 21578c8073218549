"""Architectures that keep the limits: drawn uniformly, else searched for."""

import logging
from collections.abc import Collection

import numpy as np

from hytnas_jax.mobo.nsga2 import nsga2
from hytnas_jax.mobo.points import farthest_first
from hytnas_jax.mobo.problem import Problem, unseen
from supernet.errors import UserError
from supernet.row_keys import row_keys

logger = logging.getLogger(__name__)

MAX_DRAWS = 10_000
# Where many architectures are wanted, so many draws for each.
DRAWS_EACH = 20
# Of which a spread design is chosen.
POOL = 1_000
# A space of no more codes than this is listed instead of sampled: what is left of it is then exact.
MAX_LISTED = 10_000
SEARCH_POPULATION, SEARCH_GENERATIONS = 100, 40


def initial_design(problem: Problem, n: int, rng: np.random.Generator) -> np.ndarray:
    """The architectures to evaluate before there is anything to learn from.

    Uniform over the space, within the limits, canonical, all different. Where `MAX_DRAWS` draws, or
    `DRAWS_EACH` for each of n, hold fewer than n, NSGA-II minimises the limits' values and the rest is drawn
    from what it met within the limits (no longer uniform; a log line says so).

    Returns:
        int [n, G]; fewer where no more were found (a log line says so).

    Raises:
        UserError: nothing meets the limits; it says how near each limit came.

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import Objective, Problem, initial_design
      >>> cardinalities = np.array([4, 4, 4])
      >>> problem = Problem(
      ...     cardinalities=cardinalities,
      ...     objectives=(Objective("quality", "max"), Objective("cost", "min")),
      ...     limits=(),
      ...     canonical=lambda genes: genes,
      ...     features=lambda genes: genes.astype(float),
      ...     sample=lambda rng, n: rng.integers(0, cardinalities, (n, 3)),
      ... )
      >>> initial_design(problem, 5, np.random.default_rng(0)).shape
      (5, 3)
    """
    genes, looked_at = draw_feasible(problem, n, rng=rng, max_draws=max(MAX_DRAWS, DRAWS_EACH * n))
    if len(genes) < n and not is_listable(problem):
        logger.warning(
            "the limits are tight: %d architectures within them in %d drawn; searching for %d more",
            *(len(genes), len(looked_at), n - len(genes)),
        )
        found = _search_within_limits(problem, looked_at, rng)
        looked_at = np.concatenate([looked_at, found])
        more = found[problem.feasible(found)]
        more = rng.permutation(more[unseen(more, row_keys(genes))])
        genes = np.concatenate([genes, more[: n - len(genes)]])
    if len(genes) == 0:
        raise UserError(_nothing_within_limits(problem, looked_at))
    if len(genes) < n:
        logger.warning("only %d architectures within the limits were found, not %d", len(genes), n)
    return genes


def draw_unseen(problem: Problem, seen: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Architectures drawn as `initial_design` draws them, canonical, none of them among `seen` int [N, G].

    Returns:
        int [n, G]; fewer where no more were found.

    Raises:
        UserError: nothing meets the limits.
    """
    # Of N + n different architectures at least n are new.
    drawn = initial_design(problem, len(seen) + n, rng)
    return drawn[unseen(drawn, row_keys(seen))][:n]


def spread_design(problem: Problem, n: int, rng: np.random.Generator) -> np.ndarray:
    """Architectures that lie far from each other, for an initial design smaller than a random one.

    The first is drawn, and each next one is farthest from those before it in standardised features. The pool
    is the whole of a listable space, else `POOL` architectures drawn within the limits.

    Returns:
        int [n, G]; fewer where no more were found.

    Raises:
        UserError: nothing meets the limits.
    """
    pool = initial_design(problem, len(list_space(problem)) if is_listable(problem) else POOL, rng)
    features = problem.features(pool)
    features = (features - features.mean(axis=0)) / np.where(
        np.ptp(features, axis=0) > 0.0, features.std(axis=0), 1.0
    )
    return pool[farthest_first(features, n, int(rng.integers(len(pool))))]


def draw_feasible(
    problem: Problem,
    n: int,
    *,
    rng: np.random.Generator,
    max_draws: int,
    exclude: Collection[bytes] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Up to n different architectures within the limits, not in `exclude` (see `row_keys`).

    A listable space is gone through in random order, so that fewer than n means there are no more;
    any other is drawn from uniformly, `max_draws` times at most.

    Returns:
        canonical genes [<= n, G], and all that were looked at [V, G], different from each other.
    """
    seen = set(exclude)
    looked_at: list[np.ndarray] = [np.zeros((0, len(problem.cardinalities)), np.int64)]
    found = [looked_at[0]]
    listed = rng.permutation(list_space(problem)) if is_listable(problem) else None
    total = max_draws if listed is None else len(listed)
    drawn, chunk = 0, max(2 * n, 16)
    while drawn < total and sum(map(len, found)) < n:
        size = min(chunk, total - drawn)
        raw = problem.sample(rng, size) if listed is None else listed[drawn : drawn + size]
        genes = problem.canonical(raw)
        genes = genes[unseen(genes, seen)]
        if len(genes):
            seen.update(row_keys(genes))
            looked_at.append(genes)
            found.append(genes[problem.feasible(genes)])
        drawn, chunk = drawn + size, 2 * chunk
    return np.concatenate(found)[:n], np.concatenate(looked_at)


def is_listable(problem: Problem) -> bool:
    """Whether the space comes as a list, or has no more than `MAX_LISTED` codes."""
    return (
        problem.listing is not None or float(np.prod(problem.cardinalities.astype(np.float64))) <= MAX_LISTED
    )


def list_space(problem: Problem) -> np.ndarray:
    """Every code of a listable space, [R, G]."""
    if problem.listing is not None:
        return problem.listing
    grid = np.indices(tuple(problem.cardinalities)).reshape(len(problem.cardinalities), -1)
    return grid.T


def _search_within_limits(problem: Problem, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What NSGA-II meets while it minimises every limit's value, from the nearest of `start`."""

    def evaluate(genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        excess = problem.excess(problem.limit_values(genes))
        return excess, excess

    violation = np.maximum(problem.excess(problem.limit_values(start)), 0.0).sum(axis=1)
    visited = nsga2(
        evaluate,
        start[np.argsort(violation, kind="stable")[:SEARCH_POPULATION]],
        cardinalities=problem.cardinalities,
        canonical=problem.canonical,
        population=SEARCH_POPULATION,
        generations=SEARCH_GENERATIONS,
        seed=int(rng.integers(2**31)),
    )
    return visited.genes


def _nothing_within_limits(problem: Problem, looked_at: np.ndarray) -> str:
    values = problem.limit_values(looked_at)
    lines = [f"no architecture within the limits among {len(looked_at)} looked at:"]
    for limit, column in zip(problem.limits, values.T, strict=True):
        if not np.isfinite(column).any():
            lines.append(f"  {limit.name} <= {limit.maximum:g}: has no finite value anywhere")
            continue
        nearest = int(np.nanargmin(column))
        lines.append(
            f"  {limit.name} <= {limit.maximum:g}: the nearest has {column[nearest]:.6g} "
            f"(genes {looked_at[nearest].tolist()}); {np.sum(column <= limit.maximum)} keep this limit"
        )
    lines.append("Raise the limits that few or none keep, or add smaller choices to the space.")
    return "\n".join(lines)
