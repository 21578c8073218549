"""A table as a problem of `mobo`: genes are levels, and only the table's rows can be proposed.

Letters: see `table`.
"""

import numpy as np

from hytnas_jax.mobo import Objective, Problem
from hytnas_jax.mobo.problem import GeneFunction
from hytnas_jax.study_search.table import Table


def table_problem(table: Table) -> Problem:
    """The search problem; the objectives in `table.columns.known` are looked up and never modelled."""
    return Problem(
        cardinalities=np.array([len(feature.levels) for feature in table.features]),
        objectives=tuple(
            Objective(name, direction, known=_looked_up(table, m) if name in table.columns.known else None)
            for m, (name, direction) in enumerate(table.columns.objectives.items())
        ),
        limits=(),
        canonical=lambda genes: genes,
        features=lambda genes: feature_vectors(table, genes),
        sample=lambda rng, n: table.genes[rng.integers(len(table), size=n)],
        listing=table.genes,
    )


def feature_vectors(table: Table, genes: np.ndarray) -> np.ndarray:
    """What surrogates see: genes [N, G] -> float64 [N, F] in 0..1, `level_vectors` and numbers one-hot, too.

    The rank lets near levels teach each other; one-hot lets one level differ from both its neighbours.
    """
    return _vectors(table, genes, numbers_one_hot=True)


def level_vectors(table: Table, genes: np.ndarray) -> np.ndarray:
    """genes [N, G] -> float64 [N, F] in 0..1: the rank of a number's level, one-hot of a category's."""
    return _vectors(table, genes, numbers_one_hot=False)


def _vectors(table: Table, genes: np.ndarray, *, numbers_one_hot: bool) -> np.ndarray:
    columns = []
    for g, feature in enumerate(table.features):
        count = len(feature.levels)
        if not feature.is_categorical:
            columns.append(genes[:, g : g + 1] / max(count - 1, 1))
        if feature.is_categorical or (numbers_one_hot and count > 2):
            columns.append(np.eye(count)[genes[:, g]])
    return np.concatenate(columns, axis=1)


def _looked_up(table: Table, m: int) -> GeneFunction:
    return lambda genes: table.values[table.rows_of(genes), m]
