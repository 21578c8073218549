"""One search from its initial design to the end of its budget, evaluation by evaluation.

Letters: see `table`; N evaluations.
"""

import dataclasses
import time

import numpy as np
from threadpoolctl import threadpool_limits

from hytnas_jax.mobo import spread_design
from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.ratio import hypervolume_ratios
from hytnas_jax.study_search.strategies import Strategy
from hytnas_jax.study_search.table import Table
from hytnas_jax.study_search.table_problem import table_problem


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectory:
    """What a search evaluated, in order.

    rows: int64 [N] of the table.
    hypervolume_ratios: float64 [N], after each evaluation (see `ratio`).
    seconds: float64 [N], what the suggestion took, divided by the size of its batch; 0 where initial.
    """

    rows: np.ndarray
    hypervolume_ratios: np.ndarray
    seconds: np.ndarray


def initial_rows(table: Table, budget: StudyBudget, seed: int) -> np.ndarray:
    """The initial design, int64 [initial]: the same for every strategy.

    "random" is numpy.random.default_rng(seed).permutation(rows)[:initial] and nothing else, so that a study
    pairs with others'.
    """
    if budget.initial_design == "random":
        return np.random.default_rng(seed).permutation(len(table))[: budget.initial]
    rng = np.random.default_rng([seed, 0])
    return table.rows_of(spread_design(table_problem(table), budget.initial, rng))


@threadpool_limits.wrap(limits=1)  # sums in another order are other numbers, and then other trajectories
def run_search(table: Table, strategy: Strategy, budget: StudyBudget, seed: int) -> Trajectory:
    """Search the table: the same result for the same seed, in whichever process."""
    rows = initial_rows(table, budget, seed)
    seconds = np.zeros(len(rows))
    propose = strategy.start(table, seed)
    while len(rows) < budget.evaluations:
        left = budget.evaluations - len(rows)
        started = time.perf_counter()
        batch = propose(rows, left)
        took = time.perf_counter() - started
        if not 1 <= len(set(batch.tolist()) - set(rows.tolist())) == len(batch) <= left:
            raise RuntimeError(f"{strategy.name} proposed rows {batch} after {rows}, {left} left")
        rows = np.concatenate([rows, batch])
        seconds = np.concatenate([seconds, np.full(len(batch), took / len(batch))])
    return Trajectory(rows, hypervolume_ratios(table, rows), seconds)
