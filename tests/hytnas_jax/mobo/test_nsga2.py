"""The solver alone: it finds a known front, keeps to the genes, and is repeatable."""

import numpy as np
import pytest

from hytnas_jax.mobo.nsga2 import GeneMutation, nsga2
from hytnas_jax.mobo.pareto import pareto_mask

from .problems import CARDINALITIES, cost, evaluate, two_objectives

PROBLEM = two_objectives()


def solve(seed: int, maximum: float = np.inf, generations: int = 20):
    def score(genes):
        return PROBLEM.minimised(evaluate(genes)), (cost(genes) - maximum)[:, None]

    return nsga2(
        score,
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
    mutated = GeneMutation(cardinalities)._do(None, genes, random_state=np.random.default_rng(0))
    assert set(mutated[:, 0]) == {0, 1, 2, 3, 4}
    assert set(mutated[:, 1]) == {0}
    assert set(mutated[:, 2]) == {0, 1}
    # a third of the genes are touched; a step from the end of a gene may stay where it is
    assert np.mean(mutated[:, 0] != 2) == pytest.approx(1 / 3, abs=0.03)
    steps = np.mean(np.isin(mutated[:, 0], (1, 3)))
    assert steps == pytest.approx(1 / 3 * (0.5 + 0.5 * 0.5), abs=0.03)
