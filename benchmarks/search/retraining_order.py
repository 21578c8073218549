"""In which order to retrain? Committed studies of the ranking are gone through, whose networks are trained.

    python -m benchmarks.search.retraining_order

Every study of `results/` has networks with the supernet's error, their MACs and the error after training. Of
a part of them, drawn again and again, the "search" knows the supernet's errors and the MACs; what is
"retrained" becomes what the study's training made of it. Compared, in the part of the hypervolume of all
(error and log MACs) that those retrained have: `Succession`, the order of `retrain`; networks of the search's
front far apart (`roles.choose_roles`, the order of before); and chance. And of `Succession`: how often one
standard deviation holds what became, and when it would stop by default.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from benchmarks.common import RESULTS, main, require_at_least
from hytnas_jax.files.atomic import read_json
from hytnas_jax.mobo import hypervolume
from hytnas_jax.mobo.pareto import pareto_rank
from hytnas_jax.retrain.archive import Archive
from hytnas_jax.retrain.config import Config as Retraining
from hytnas_jax.retrain.next_network import Succession
from hytnas_jax.retrain.roles import choose_roles

STUDIES = {"ranking_cifar10": 2000, "ranking_person": 4000}  # and the size of its validation split
NAMES = ("error", "macs")


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare orders of retraining on studies whose networks are all trained."""

    workdir: Path = RESULTS
    """The folder of the studies."""
    draws: int = 200
    """How often a part of the networks is drawn."""
    networks: int = 30
    """In each draw."""
    most: int = 12
    """Networks that are retrained."""
    seed: int = 0
    """Of the draws."""
    name: str = "retraining_order"
    """Of the result's file."""


@dataclasses.dataclass(frozen=True, eq=False)
class Drawn:
    """A part of a study: an archive of its estimates, and what each network becomes."""

    archive: Archive
    became: NDArray[np.float64]
    images: int

    def volumes(self, order: list[int], most: int) -> list[float]:
        """Hypervolume after each of `most` networks, as a part of that of all."""
        points = np.column_stack([self.became, np.log(self.archive.values[:, 1])])
        corner = points.max(axis=0) + 0.1 * np.ptp(points, axis=0)
        whole = hypervolume(points, corner)
        return [hypervolume(points[order[:k]], corner) / whole for k in range(1, most + 1)]


def benchmark(config: Config) -> dict[str, Any]:
    """Go through every study."""
    require_at_least(config, {"draws": 1, "networks": 4, "most": 1})
    found = {name: _study(config, name, images) for name, images in STUDIES.items()}
    for name, result in found.items():
        print(name)
        for order, volumes in result["hypervolume"].items():
            print(f"  {order:10}", *(f"{volume:.3f}" for volume in volumes))
        print(f"  within one deviation {result['within']:.2f}, stops after {result['stops']:.1f}")
    return {"studies": found}


def _study(config: Config, name: str, images: int) -> dict[str, Any]:
    networks = read_json(config.workdir / name / "ranking.json")["networks"]
    rng = np.random.default_rng(config.seed)
    volumes: dict[str, list[list[float]]] = {"by gain": [], "far apart": [], "by chance": []}
    within, stops = list[bool](), list[int]()
    for _ in range(config.draws):
        size = min(config.networks, len(networks))
        drawn = _drawn([networks[n] for n in rng.choice(len(networks), size, replace=False)], images)
        most = min(config.most, size)
        order, held, stop = _by_gain(drawn, most)
        within += held
        stops.append(stop)
        front = drawn.archive.minimised[: drawn.archive.front]
        far = [row for row, _ in choose_roles(front, list(NAMES), most)]
        for which, rows in (
            ("by gain", order),
            ("far apart", far),
            ("by chance", rng.permutation(size).tolist()),
        ):
            volumes[which].append(drawn.volumes(rows, most))
    means = {which: np.mean(values, axis=0).tolist() for which, values in volumes.items()}
    return {"hypervolume": means, "within": float(np.mean(within)), "stops": float(np.mean(stops))}


def _drawn(networks: list[dict[str, Any]], images: int) -> Drawn:
    values = np.array([[1 - network["supernet accuracy"], network["MACs"]] for network in networks])
    became = np.array([1 - network["accuracy"] for network in networks])
    ranks = pareto_rank(values)
    order = np.lexsort((values[:, 0], ranks))
    archive = Archive(
        NAMES, ("min", "min"), tuple(networks[n]["name"] for n in order), values[order],
        np.zeros_like(values), int((ranks == 0).sum()),
    )  # fmt: skip
    return Drawn(archive, became[order], images)


def _by_gain(drawn: Drawn, most: int) -> tuple[list[int], list[bool], int]:
    """The order, whether each became what one standard deviation allows, and after how many it would end."""
    succession, errors = Succession(drawn.archive), dict[int, float]()
    within, stop = list[bool](), most
    while len(errors) < most:
        following = succession.next(errors, drawn.images)
        expected = succession.forecast(errors, drawn.images)
        if following is None:
            break
        row, became = following.row, float(drawn.became[following.row])
        if following.gain is not None and following.gain < Retraining.least_gain:
            stop = min(stop, len(errors))
        if expected is not None:
            chance = 1 / (drawn.images * became * (1 - became))
            within.append(abs(logit(became) - expected.mean[row]) < np.sqrt(expected.std[row] ** 2 + chance))
        errors[row] = became
    return list(errors), within, stop


if __name__ == "__main__":
    main(benchmark, Config)
