"""Where the estimates of a study err, gene by gene, from what the study has written: nothing is trained.

    python -m benchmarks.accuracy.ranking_bias \\
        --study benchmarks/results/ranking_cifar10 --name ranking_bias_cifar10

As `study_ranking` tells it; `--study` is a folder with a ranking.json, an earlier version's too.
"""

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.common import main, require_at_least
from hytnas_jax import console
from hytnas_jax.accuracy.combined import COMBINED
from hytnas_jax.accuracy.estimates import ACCURACY, LOSS, MACS, POINTWISE
from hytnas_jax.files.atomic import read_json
from hytnas_jax.study_ranking.bias import biases, sentences
from hytnas_jax.study_ranking.bias_table import bias_rows, headers
from hytnas_jax.study_ranking.gene_values import gene_values
from supernet.errors import UserError
from supernet.spaces import built_in_space

ESTIMATES = (ACCURACY, LOSS, COMBINED, MACS, POINTWISE, "NASWOT")


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the genes of a study's networks with its references and estimates."""

    study: Path
    """A folder with a ranking.json."""
    space: Literal["hybrid", "hybrid-small"] = "hybrid"
    """What its networks are of."""
    resolution: int = 48
    """Pixels."""
    name: str = "ranking_bias"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Compute and print the table."""
    require_at_least(config, {"resolution": 1})
    networks = read_json(config.study / "ranking.json")["networks"]
    space = built_in_space(config.space).with_resolutions((config.resolution,))
    values = {
        name: np.array([network[name] for network in networks], float) for name in ("accuracy", *ESTIMATES)
    }
    architectures = [space.decode(network["genes"]) for network in networks]
    wrong = [n["name"] for n, a in zip(networks, architectures, strict=True) if n["name"] != a.name]
    if wrong:
        raise UserError(f"--space {config.space}: networks {', '.join(wrong[:3])} of the study are not of it")
    estimates = {name: values[name] for name in ESTIMATES}
    found = biases(gene_values(space, architectures), estimates, values["accuracy"], values[MACS])
    said = sentences(found, ESTIMATES)
    for beyond in (False, True):
        console.say("with log MACs partialled out" if beyond else "as it is")
        console.table(bias_rows(found, beyond_macs=beyond), headers(found))
    for sentence in said:
        console.say(sentence)
    return {"genes": found, "sentences": said}


if __name__ == "__main__":
    main(benchmark, Config)
