"""Acquisitions: how much an architecture is worth evaluating."""

from hytnas_jax.mobo.acquisitions.base import Acquisition
from hytnas_jax.mobo.acquisitions.confidence_bound import UpperConfidenceBound
from hytnas_jax.mobo.acquisitions.expected_improvement import LogExpectedImprovement

ACQUISITIONS: dict[str, type[Acquisition]] = {"ucb": UpperConfidenceBound, "ei": LogExpectedImprovement}

__all__ = ["ACQUISITIONS", "Acquisition", "LogExpectedImprovement", "UpperConfidenceBound"]
