"""Evaluating a network that has weights and statistics of its own."""

from typing import Any

import jax

from proxies.evaluation.base import EvaluationImages, Scoring
from supernet.model import Model, Tree


def summarise_alone(
    model: Model, params: Tree, stats: Tree, images: EvaluationImages, scoring: Scoring
) -> Any:
    """The sums of a `Scoring`, to be traced; `images.calibration` is not read."""
    outputs = jax.lax.map(lambda x: model.apply(params, stats, x, train=False)[0], images.images)
    return scoring.summarise(outputs, images.targets, images.real)
