"""The solver alone: it finds a known front, keeps to the genes, and is repeatable."""

import functools

import numpy as np
import pytest
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.mutation import Mutation
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.repair import Repair
from pymoo.operators.crossover.ux import UniformCrossover
from pymoo.optimize import minimize

from hytnas_jax.mobo.nsga2 import crossed, mutated, nsga2
from hytnas_jax.mobo.pareto import pareto_mask
from hytnas_jax.mobo.problem import unseen

from .problems import CARDINALITIES, cost, evaluate, two_objectives

PROBLEM = two_objectives()


def score(genes, maximum: float = np.inf):
    return PROBLEM.minimised(evaluate(genes)), (cost(genes) - maximum)[:, None]


def solve(seed: int, maximum: float = np.inf, generations: int = 20):
    return nsga2(
        functools.partial(score, maximum=maximum),
        PROBLEM.sample(np.random.default_rng(seed), 40),
        cardinalities=CARDINALITIES,
        canonical=PROBLEM.canonical,
        population=40,
        generations=generations,
        seed=seed,
    )


def test_visits_distinct_canonical_genes_in_range():
    visited = solve(0)
    assert len(np.unique(visited.genes, axis=0)) == len(visited.genes)
    np.testing.assert_array_equal(visited.genes, PROBLEM.canonical(visited.genes))
    assert (visited.genes >= 0).all()
    assert (visited.genes < CARDINALITIES).all()
    np.testing.assert_array_equal(visited.scores, PROBLEM.minimised(evaluate(visited.genes)))


def test_repeatable_and_seeded():
    np.testing.assert_array_equal(solve(1).genes, solve(1).genes)
    assert not np.array_equal(solve(1).genes[:200], solve(2).genes[:200])


def test_finds_the_ends_of_the_front():
    visited = solve(0)
    front = visited.scores[pareto_mask(visited.scores)]
    assert front[:, 1].min() == 0.0
    # everything at its largest but the last gene, which is at its best kind
    best = evaluate(np.array([[3] * 7 + [2]]))[0, 0]
    assert -front[:, 0].min() == pytest.approx(best, abs=0.3)


def test_limits_are_constraints():
    visited = solve(0, maximum=4.0)
    assert visited.feasible.sum() > 20
    assert (visited.scores[visited.feasible, 1] <= 4.0).all()


def test_ends_where_nothing_new_can_be_bred():
    visited = nsga2(
        lambda genes: (np.stack([genes[:, 0], -genes[:, 0]], axis=1) * 1.0, np.zeros((len(genes), 0))),
        np.array([[0, 0]]),
        cardinalities=np.array([2, 1]),
        canonical=lambda genes: genes,
        population=10,
        generations=50,
        seed=0,
    )
    assert sorted(visited.genes.tolist()) == [[0, 0], [1, 0]]


def test_mutation_reaches_every_choice_and_keeps_single_ones():
    cardinalities = np.array([5, 1, 2])
    genes = np.tile([2, 0, 1], (5000, 1))
    changed = mutated(genes, cardinalities, np.random.default_rng(0))
    assert set(changed[:, 0]) == {0, 1, 2, 3, 4}
    assert set(changed[:, 1]) == {0}
    assert set(changed[:, 2]) == {0, 1}
    # a third of the genes are touched; a step from the end of a gene may stay where it is
    assert np.mean(changed[:, 0] != 2) == pytest.approx(1 / 3, abs=0.03)
    steps = np.mean(np.isin(changed[:, 0], (1, 3)))
    assert steps == pytest.approx(1 / 3 * (0.5 + 0.5 * 0.5), abs=0.03)


def test_children_share_out_the_genes_of_their_parents():
    couples = np.tile(np.array([[0] * 6, [1] * 6]), (1000, 1, 1))
    children = crossed(couples, np.random.default_rng(0))
    np.testing.assert_array_equal(children[:1000] + children[1000:], 1)
    assert np.mean(np.ptp(children[:1000], axis=1) == 0) == pytest.approx(0.1 + 0.9 * 2 / 2**6, abs=0.03)


def test_breeds_what_pymoo_breeds():
    """The same architectures in the same order, with a limit that many break and with none."""
    for maximum in (np.inf, 4.0):
        visited, expected = solve(3, maximum), by_pymoo(3, maximum)
        np.testing.assert_array_equal(visited.genes, expected)


def by_pymoo(seed: int, maximum: float) -> np.ndarray:
    """`solve` with pymoo's NSGA-II in the place of ours: all different genes, in order."""
    seen: list[np.ndarray] = []

    class Problem(PymooProblem):
        def _evaluate(self, x, out, *args, **kwargs):
            seen.append(x.astype(int))
            out["F"], out["G"] = score(seen[-1], maximum)

    class GeneMutation(Mutation):
        def _do(self, problem, X, *args, random_state=None, **kwargs):
            return mutated(X, CARDINALITIES, random_state)

    class Canonical(Repair):
        def _do(self, problem, X, **kwargs):
            return PROBLEM.canonical(X.astype(int))

    algorithm = NSGA2(
        pop_size=40,
        sampling=PROBLEM.sample(np.random.default_rng(seed), 40),
        crossover=UniformCrossover(prob=0.9),
        mutation=GeneMutation(),
        repair=Canonical(),
    )
    bounds = {"xl": 0, "xu": CARDINALITIES - 1}
    problem = Problem(n_var=len(CARDINALITIES), n_obj=2, n_ieq_constr=1, vtype=int, **bounds)
    minimize(problem, algorithm, ("n_gen", 20), seed=seed)
    genes = np.concatenate(seen)
    return genes[unseen(genes, ())]
