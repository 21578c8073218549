"""NSGA-II (Deb et al. 2002, by pymoo) over the rows of a table: evolution without a model.

Letters: see `searchers`; F numbers in 0..1 tell what a row is.
"""

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.evaluator import Evaluator
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.termination import NoTermination
from pymoo.problems.static import StaticProblem

from hytnas_jax.study_search.ratio import scaled_values
from hytnas_jax.study_search.table import Table
from hytnas_jax.study_search.table_problem import level_vectors


class TableNsga2:
    """A `Propose`: the initial design is the first population, every call breeds one child.

    pymoo's crossover (SBX) and mutation (polynomial) breed a point in 0..1; it becomes the nearest row that
    has not been evaluated. One child a generation makes the strongest baseline: on the six translation
    tables of Zhang & Duh (TACL 2020; 10 initial of 60 evaluations, 15 seeds, two and three objectives) its
    AUC-regret was 5.8 and 6.7, with generations of 5 it was 6.1 and 7.2, of 10 it was 6.2 and 7.6.
    """

    def __init__(self, table: Table, seed: int) -> None:
        self._points = level_vectors(table, table.genes)
        self._values = scaled_values(table)
        self._seed = seed
        self._algorithm: NSGA2 | None = None

    def __call__(self, rows: np.ndarray, left: int) -> np.ndarray:
        """The next row."""
        if self._algorithm is None:
            self._algorithm = self._start(rows)
        child = self._algorithm.ask()
        row = self._nearest(child.get("X")[0], rows)
        self._tell(self._algorithm, child, row)
        return row

    def _start(self, rows: np.ndarray) -> NSGA2:
        algorithm = NSGA2(
            pop_size=len(rows), n_offsprings=1, sampling=self._points[rows], eliminate_duplicates=False
        )
        problem = PymooProblem(n_var=self._points.shape[1], n_obj=self._values.shape[1], xl=0.0, xu=1.0)
        algorithm.setup(problem, termination=NoTermination(), seed=self._seed)
        self._tell(algorithm, algorithm.ask(), rows)
        return algorithm

    def _tell(self, algorithm: NSGA2, individuals: Population, rows: np.ndarray) -> None:
        """A table answers at once, so that the values can be told before the rows are evaluated."""
        individuals.set("X", self._points[rows])
        Evaluator().eval(StaticProblem(algorithm.problem, F=self._values[rows]), individuals)
        algorithm.tell(infills=individuals)

    def _nearest(self, point: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The row nearest to point [F] that is not in `rows`, int64 [1]."""
        distances = np.sum((self._points - point) ** 2, axis=1)
        distances[rows] = np.inf
        return np.argmin(distances, keepdims=True)
