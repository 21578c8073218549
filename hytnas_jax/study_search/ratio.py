"""How good a search is: the share of the front's hypervolume that it has found.

Every objective is turned so that less is better and scaled to 0..1 over the WHOLE table; the reference
point is 1.1 in each. So the ratio is 1 exactly where everything on the table's front has been evaluated.
"""

import numpy as np

from hytnas_jax.mobo import hypervolume, hypervolume_history
from hytnas_jax.study_search.table import Table

REFERENCE = 1.1


def scaled_values(table: Table) -> np.ndarray:
    """float64 [R, M] in 0..1, less is better; an objective that is the same everywhere is 0."""
    signs = np.where(np.array(list(table.columns.objectives.values())) == "min", 1.0, -1.0)
    # First by a power of two, which rounds nothing: no difference is then too large, or too small.
    _, exponents = np.frexp(np.abs(table.values).max(axis=0))
    minimised = np.ldexp(table.values * signs, -exponents - 1)
    span = np.ptp(minimised, axis=0)
    return (minimised - minimised.min(axis=0)) / np.where(span > 0.0, span, 1.0)


def hypervolume_ratios(table: Table, rows: np.ndarray) -> np.ndarray:
    """The ratio after each evaluation, float64 [N], of rows [N] in the order of evaluation."""
    scaled = scaled_values(table)
    num_objectives = scaled.shape[1]
    reference = np.full(num_objectives, REFERENCE)
    found = hypervolume_history(scaled[rows], ["min"] * num_objectives, reference)
    return found / hypervolume(scaled, reference)
