"""The searches that a study compares: each suggests, from what has been evaluated, the rows to evaluate next.

Letters: N rows evaluated so far, B rows suggested; rows are indices into the table.
"""

import itertools
from collections.abc import Callable

import numpy as np

from hytnas_jax.mobo import Observations, Settings, suggest
from hytnas_jax.study_search.table import Table
from hytnas_jax.study_search.table_problem import table_problem

# (rows int64 [N] in the order of evaluation, how many more may be evaluated) -> new rows int64 [B], B >= 1
Propose = Callable[[np.ndarray, int], np.ndarray]


def bayesian(table: Table, seed: int, *, settings: Settings, batch: int) -> Propose:
    """The loop of `mobo`, up to `batch` rows at once; batch k = 1, 2, ... is drawn from [seed, k]."""
    problem = table_problem(table)
    numbers = itertools.count(1)

    def propose(rows: np.ndarray, left: int) -> np.ndarray:
        rng = np.random.default_rng([seed, next(numbers)])
        observations = Observations(table.genes[rows], table.values[rows])
        genes, _ = suggest(problem, observations, batch=min(batch, left), settings=settings, rng=rng)
        return table.rows_of(genes)

    return propose


def at_random(table: Table, seed: int) -> Propose:
    """Random search: the seed's permutation, with which a random initial design begins, one by one."""
    order = np.random.default_rng(seed).permutation(len(table))

    def propose(rows: np.ndarray, left: int) -> np.ndarray:
        return order[~np.isin(order, rows)][:1]

    return propose
