"""What the estimates from random weights cost, how much they hang on the draw, and what they have in common.

    python -m benchmarks.accuracy.untrained_estimates

Random networks of a space at one resolution. For NASWOT and AZ-NAS with each number of images, and for the
Zen-score as it is: the seconds of the first call, which compiles; the time that one network takes then; and
Spearman's rho between single draws, the worst and the mean of all pairs. Then Spearman's rho of the
estimates, each with its default number of images, with one another, with parameters and MACs, and with the
number of NASWOT's units.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least
from hytnas_jax import console
from hytnas_jax.accuracy.estimates import Values
from hytnas_jax.workspace.space_file import load_space
from proxies.az_nas import BATCH as AZ_NAS_BATCH
from proxies.az_nas import AzNas, expressivity, progressivity
from proxies.complexity import num_macs, num_parameters
from proxies.naswot import BATCH as NASWOT_BATCH
from proxies.naswot import Naswot, by_unit, log_determinant
from proxies.ranking import spearman_rho
from proxies.zen_score import BATCH as ZEN_BATCH
from proxies.zen_score import ZenScore
from supernet.architecture import Architecture
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace

BATCHES = (16, 32, 64)


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure the estimates that need no training."""

    space: str = "hybrid"
    """The search space: a built-in name or a file."""
    resolution: int = 48
    """Side of the images in pixels; one that the space has."""
    networks: int = 50
    """Random networks to estimate."""
    draws: int = 4
    """Seeds for each number of images."""
    name: str = "untrained_estimates"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print both tables."""
    require_at_least(config, {"networks": 3, "draws": 2})
    space = load_space(config.space).with_resolutions((config.resolution,))
    members = space.decode_all(space.sample(np.random.default_rng(0), config.networks))
    rows, values = [], complexity(space, members)
    for batch, estimate, default in estimates(space):
        of_draws, seconds, milliseconds = timed(estimate, members, config.draws)
        for name in of_draws[0]:
            pairs = itertools.combinations([draw[name] for draw in of_draws], 2)
            rhos = [spearman_rho(one, other) for one, other in pairs]
            agreement = (round(min(rhos), 4), round(float(np.mean(rhos)), 4))
            rows.append((name, batch, *agreement, round(seconds, 1), round(milliseconds, 1)))
            console.say(" ".join(map(str, rows[-1])))
        if batch == default:
            values |= of_draws[0]
    header = ("estimate", "images", "worst rho", "mean rho", "s first call", "ms a network")
    console.table(rows, header)
    rhos_of = {
        one: {other: round(spearman_rho(values[one], values[other]), 3) for other in values} for one in values
    }
    console.table([(one, *rhos_of[one].values()) for one in values], ("rho", *values))
    return {
        "rows": [dict(zip(header, row, strict=True)) for row in rows],
        "rho": rhos_of,
    }


Estimate = Callable[[list[Architecture], int], Values]  # of a seed


def estimates(space: SearchSpace) -> list[tuple[int, Estimate, int]]:
    """The number of images, the estimates, and the default number of images."""

    def naswot(members: list[Architecture], seed: int, batch: int) -> Values:
        kernels = Naswot(space, channels=3, batch=batch, seed=seed).kernels(members)
        units = kernels[:, 0, 0]
        return {"NASWOT": log_determinant(kernels), "NASWOT by unit": by_unit(kernels), "units": units}

    def az_nas(members: list[Architecture], seed: int, batch: int) -> Values:
        entropies = AzNas(space, "expressivity", channels=3, batch=batch, seed=seed).entropies(members)
        return {"expressivity": expressivity(entropies), "progressivity": progressivity(entropies)}

    def zen(members: list[Architecture], seed: int) -> Values:
        return {"Zen-score": ZenScore(space, channels=3, seed=seed)(members)}

    return [
        *((batch, lambda m, seed, b=batch: naswot(m, seed, b), NASWOT_BATCH) for batch in BATCHES),
        *((batch, lambda m, seed, b=batch: az_nas(m, seed, b), AZ_NAS_BATCH) for batch in BATCHES),
        (ZEN_BATCH, zen, ZEN_BATCH),
    ]


def timed(estimate: Estimate, members: list[Architecture], draws: int) -> tuple[list[Values], float, float]:
    """The values of each draw, the seconds of a first call for one network, and milliseconds a network."""
    started = time.perf_counter()
    estimate(members[:1], 0)
    compiled = time.perf_counter()
    of_draws = [estimate(members, seed) for seed in range(draws)]
    milliseconds = 1e3 * (time.perf_counter() - compiled) / (draws * len(members))
    return of_draws, compiled - started, milliseconds


def complexity(space: SearchSpace, members: list[Architecture]) -> Values:
    """Parameters and MACs, for 10 classes."""

    def spec(member: Architecture) -> NetworkSpec:
        return space.network_spec(member, num_classes=10, channels=3)

    return {"parameters": num_parameters(spec)(members), "MACs": num_macs(spec)(members)}


if __name__ == "__main__":
    main(benchmark, Config)
