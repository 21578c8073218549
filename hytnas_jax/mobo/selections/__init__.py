"""Selections: which candidates are evaluated next."""

from hytnas_jax.mobo.selections.base import Candidates, Selection
from hytnas_jax.mobo.selections.dominance import Dominance
from hytnas_jax.mobo.selections.hypervolume_improvement import HypervolumeImprovement
from hytnas_jax.mobo.selections.random_choice import RandomChoice
from hytnas_jax.mobo.selections.uncertainty import Uncertainty

SELECTIONS: dict[str, type[Selection]] = {
    "hvi": HypervolumeImprovement,
    "random": RandomChoice,
    "dominance": Dominance,
    "uncertainty": Uncertainty,
}

__all__ = [
    "SELECTIONS",
    "Candidates",
    "Dominance",
    "HypervolumeImprovement",
    "RandomChoice",
    "Selection",
    "Uncertainty",
]
