"""Does the supernet's loss rank better together with a count, in parts that nothing was fitted to?

    python -m benchmarks.accuracy.ranking_blend

Reads what `study_ranking` has written (`benchmarks/results/STUDY/ranking.json`, or a folder's path); nothing
is trained. A blend is the mean of standard scores over the networks of a study
(`hytnas_jax.accuracy.blended`).
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, main
from hytnas_jax import console
from hytnas_jax.accuracy.agreement import ALL, BANDS, Agreement, agreements, bands
from hytnas_jax.accuracy.blended import Scales
from hytnas_jax.accuracy.estimates import ACCURACY, LOSS, MACS, PARAMETERS, POINTWISE, Values
from hytnas_jax.files.atomic import read_json
from supernet.errors import UserError

NASWOT = "NASWOT"


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare blends with their parts on studies that have ended."""

    studies: tuple[str, ...] = ("ranking_cifar10", "ranking_person", "ranking_digits")
    """Names of folders in benchmarks/results, or paths of folders, with a ranking.json."""
    name: str = "ranking_blend"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Print how well every blend agrees with each study's references."""
    found = {study: agreement_of(study) for study in config.studies}
    names = list(next(iter(found.values())))
    for study, by_name in found.items():
        console.say(f"{study}: tau over all networks, and in thirds of their MACs")
        rows = [(name, *(str(by_name[name][band].tau) for band in (ALL, *BANDS))) for name in names]
        console.table(rows, ("estimate", ALL, *BANDS))
    return {"agreement": found}


def agreement_of(study: str) -> dict[str, dict[str, Agreement]]:
    """Estimate -> band -> agreement, of the parts and of the blends."""
    path = next((p for p in (RESULTS / study, Path(study)) if (p / "ranking.json").exists()), None)
    if path is None:
        raise UserError(f"--studies {study}: no ranking.json in {RESULTS / study} or in {study}")
    networks = read_json(path / "ranking.json")["networks"]
    columns = ("accuracy", ACCURACY, LOSS, MACS, PARAMETERS, POINTWISE, NASWOT)
    values = {name: np.array([network[name] for network in networks]) for name in columns}
    references, macs = values.pop("accuracy"), values[MACS]
    return agreements(values | blends(values), references, macs, bands(macs))


def blends(values: Values) -> Values:
    """The supernet's loss with each count [N], more is better."""
    error, loss = 1 - values[ACCURACY], -values[LOSS]
    return {
        f"supernet loss and {count}": -Scales.of(error, loss, values[count]).blend(loss, values[count])
        for count in (POINTWISE, MACS, PARAMETERS, NASWOT)
    }


if __name__ == "__main__":
    main(benchmark, Config)
