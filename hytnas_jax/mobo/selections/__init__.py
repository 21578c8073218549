"""Selections: which candidates are evaluated next."""

from hytnas_jax.mobo.selections.base import Candidates, Selection
from hytnas_jax.mobo.selections.hypervolume_improvement import HypervolumeImprovement

SELECTIONS: dict[str, type[Selection]] = {"hvi": HypervolumeImprovement}

__all__ = ["SELECTIONS", "Candidates", "HypervolumeImprovement", "Selection"]
