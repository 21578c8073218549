"""Every estimate of networks, turned so that more promises a better one.

Letters: A architectures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hytnas_jax import console
from hytnas_jax.accuracy.blended import scales_of
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.training.supernet import supernet_error
from hytnas_jax.workspace.project import Project
from proxies.az_nas import AzNas, expressivity, progressivity
from proxies.complexity import num_macs, num_parameters
from proxies.naswot import Naswot, by_unit, log_determinant
from proxies.pointwise_macs import PointwiseMacs
from proxies.zen_score import ZenScore
from supernet.architecture import Architecture

# The cost by which networks are put into bands, and one of the estimates.
MACS, PARAMETERS = "MACs", "parameters"
ACCURACY, LOSS = "supernet accuracy", "supernet loss"
ZEN = "Zen-score"
POINTWISE = "MACs of 1x1 convolutions"
BLENDED = "blended: supernet loss and MACs of 1x1 convolutions"

Values = dict[str, NDArray[np.float64]]


class Estimates:
    """What the combined estimate is made from; what is compiled serves all calls."""

    def __init__(self, project: Project) -> None:
        self.supernet = supernet_error(project)
        self.pointwise = PointwiseMacs(project.to_spec)

    def __call__(self, architectures: Sequence[Architecture]) -> Values:
        """Accuracy and negative cross-entropy with the supernet's weights, MACs of 1x1 convolutions, [A]."""
        found = self.supernet.estimate(architectures)
        return {
            ACCURACY: 1 - found.values,
            LOSS: -found.details["loss"],
            POINTWISE: self.pointwise(architectures),
        }


def costs(project: Project, architectures: Sequence[Architecture]) -> Values:
    """Parameters and MACs, each [A]: what every estimate has to be better than."""
    counts = {PARAMETERS: num_parameters(project.to_spec), MACS: num_macs(project.to_spec)}
    return {name: count(architectures) for name, count in counts.items()}


def zen_scores(project: Project, architectures: Sequence[Architecture]) -> Values:
    """The Zen-score, with LayerNorm corrected for, and by parameter (it is a logarithm), each [A]."""
    zen = ZenScore(project.space, channels=project.channels)(architectures)
    corrected = ZenScore(project.space, channels=project.channels, layer_norm="corrected")
    return {
        ZEN: zen,
        f"{ZEN}, LayerNorm corrected": corrected(architectures),
        f"{ZEN} by parameter": zen - np.log(num_parameters(project.to_spec)(architectures)),
    }


def untrained_estimates(project: Project, architectures: Sequence[Architecture]) -> Values:
    """Others that need no training, each [A]: NASWOT, also without the number of units, and of AZ-NAS."""
    kernels = Naswot(project.space, channels=project.channels).kernels(architectures)
    az_nas = AzNas(project.space, "expressivity", channels=project.channels)
    entropies = az_nas.entropies(architectures)
    return {
        "NASWOT": log_determinant(kernels),
        "NASWOT by unit": by_unit(kernels),
        "AZ-NAS expressivity": expressivity(entropies),
        "AZ-NAS progressivity": progressivity(entropies),
    }


def estimates_of(project: Project, architectures: Sequence[Architecture]) -> Values:
    """All estimates [A]; kept in `ranking/estimates.json` for the next call with this supernet.

    Raises UserError where no supernet has been trained.
    """
    supernet = project.workdir.step("supernet").require("train_supernet")
    path = project.workdir.path / "ranking" / "estimates.json"
    made_from = {"supernet": supernet["id"], "networks": [a.name for a in architectures]}
    noted = read_json(path) if path.exists() else {}
    if noted.get("made_from") == made_from and BLENDED in noted["values"]:  # an earlier version had less
        return {name: np.array(values) for name, values in noted["values"].items()}
    estimates = Estimates(project)
    scales = scales_of(project, estimates.supernet, estimates.pointwise)  # with a bar of its own
    with console.progress(3, "estimating the trained networks") as bar:
        values = estimates(architectures) | costs(project, architectures)
        values[BLENDED] = 1 - scales.blend(-values[LOSS], values[POINTWISE])
        bar.advance()
        values |= zen_scores(project, architectures)
        bar.advance()
        values |= untrained_estimates(project, architectures)
        bar.advance()
    write_json(path, {"made_from": made_from, "values": values})
    return values
