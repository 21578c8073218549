"""All acquisitions maximised at once: every architecture of a small space, NSGA-II in a large one."""

import numpy as np

from hytnas_jax.mobo.design import draw_feasible, is_listable, list_space
from hytnas_jax.mobo.nsga2 import Evaluate, Visited, nsga2
from hytnas_jax.mobo.problem import Problem, unseen

# Random architectures are only NSGA-II's starting points: an infeasible one does no harm there.
MAX_START_DRAWS = 1_000


def solve(
    problem: Problem,
    evaluate: Evaluate,
    best: np.ndarray,
    *,
    population: int,
    generations: int,
    rng: np.random.Generator,
) -> Visited:
    """Look for architectures that minimise the scores that `evaluate` gives, within the limits.

    Args:
        best: genes [P, G] of today's Pareto set. NSGA-II begins with them, for one half of its population at
            most, and with random architectures within the limits.
    """
    seed = int(rng.integers(2**31))
    if is_listable(problem):
        genes = problem.canonical(list_space(problem))
        genes = genes[unseen(genes, ())]
        return Visited(genes, *evaluate(genes))
    best = rng.permutation(best)[: population // 2]
    drawn, looked_at = draw_feasible(problem, population - len(best), rng=rng, max_draws=MAX_START_DRAWS)
    start = np.concatenate([best, drawn, looked_at])
    return nsga2(
        evaluate,
        start[unseen(start, ())][:population],
        cardinalities=problem.cardinalities,
        canonical=problem.canonical,
        population=population,
        generations=generations,
        seed=seed,
    )
