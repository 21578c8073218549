"""Acquisitions: how much an architecture is worth evaluating."""

from hytnas_jax.mobo.acquisitions.base import Acquisition
from hytnas_jax.mobo.acquisitions.confidence_bound import UpperConfidenceBound
from hytnas_jax.mobo.acquisitions.expected_improvement import LogExpectedImprovement
from hytnas_jax.mobo.acquisitions.predicted_mean import PredictedMean
from hytnas_jax.mobo.acquisitions.thompson import ThompsonSampling

ACQUISITIONS: dict[str, type[Acquisition]] = {
    "ucb": UpperConfidenceBound,
    "ei": LogExpectedImprovement,
    "mean": PredictedMean,
    "thompson": ThompsonSampling,
}

__all__ = [
    "ACQUISITIONS",
    "Acquisition",
    "LogExpectedImprovement",
    "PredictedMean",
    "ThompsonSampling",
    "UpperConfidenceBound",
]
