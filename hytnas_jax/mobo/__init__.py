"""Multi-objective Bayesian search over integer genes; it knows no networks, files or commands.

Examples:
  >>> from hytnas_jax import mobo
  >>> mobo.Settings().surrogate
  'gp'
"""

from hytnas_jax.mobo.ask_tell import Optimizer
from hytnas_jax.mobo.design import initial_design, spread_design
from hytnas_jax.mobo.loop import Settings, SuggestInfo, suggest
from hytnas_jax.mobo.pareto import hypervolume, hypervolume_history, pareto_mask
from hytnas_jax.mobo.problem import Bound, Limit, Objective, Observations, Problem

__all__ = [
    "Bound",
    "Limit",
    "Objective",
    "Observations",
    "Optimizer",
    "Problem",
    "Settings",
    "SuggestInfo",
    "hypervolume",
    "hypervolume_history",
    "initial_design",
    "pareto_mask",
    "spread_design",
    "suggest",
]
