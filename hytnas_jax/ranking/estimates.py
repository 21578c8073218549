"""Every estimate of the networks whose truth is known, turned so that more promises a better network.

Letters: A architectures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hytnas_jax import console
from hytnas_jax.objectives import supernet_error
from hytnas_jax.project import Project
from proxies.complexity import num_macs, num_parameters
from proxies.zen_score import ZenScore
from supernet.architecture import Architecture

# The cost by which networks are put into bands, and one of the estimates.
MACS, PARAMETERS = "MACs", "parameters"
ACCURACY, LOSS = "supernet accuracy", "supernet loss"
ZEN = "Zen-score"

Values = dict[str, NDArray[np.float64]]


def complexity(project: Project, architectures: Sequence[Architecture]) -> Values:
    """What networks cost, [A]: the more, the better they should be."""
    return {
        PARAMETERS: num_parameters(project.to_spec)(architectures),
        MACS: num_macs(project.to_spec)(architectures),
    }


def zen_scores(project: Project, architectures: Sequence[Architecture]) -> Values:
    """The Zen-score [A] as published, with LayerNorm corrected for, and by parameter (it is a logarithm)."""
    with console.progress(2, "Zen-scores") as bar:
        published = ZenScore(project.space, channels=project.channels)(architectures)
        bar.advance()
        corrected = ZenScore(project.space, channels=project.channels, layer_norm="corrected")(architectures)
        bar.advance()
    parameters = num_parameters(project.to_spec)(architectures)
    return {
        ZEN: published,
        f"{ZEN}, LayerNorm corrected": corrected,
        f"{ZEN} by parameter": published - np.log(parameters),
    }


def supernet_estimates(project: Project, architectures: Sequence[Architecture]) -> Values:
    """Accuracy and negative cross-entropy [A] of the subnets with the supernet's weights."""
    estimator = supernet_error(project)
    return {ACCURACY: 1 - estimator(architectures), LOSS: -estimator.losses}
