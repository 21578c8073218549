"""How many draws and images a Zen-score needs, to rank networks as many draws of many images do.

    python -m benchmarks.accuracy.zen_score_draws

Random networks of a space at one resolution are scored by `--draws` single draws for each number of images,
with other seeds than the reference, 64 draws of 16 images. For each number of images, and of draws that
are averaged: Spearman's rho with the reference, the worst and the mean over all that were drawn, and the time
that one network takes. The defaults of `ZenScore` are the cheapest that keep the worst rho at 0.99 and still
have something to normalise by where the last map is a single pixel.
"""

import dataclasses
import time
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least
from hytnas_jax import console
from hytnas_jax.workspace.space_file import load_space
from proxies.ranking import spearman_rho
from proxies.zen_score import ZenScore

REFERENCE_DRAWS, REFERENCE_BATCH, REFERENCE_SEED = 64, 16, 10_000
BATCHES = (2, 4, 8, 16)
AVERAGED = (1, 2, 4)


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure how the ranking by Zen-scores depends on draws and images."""

    space: str = "hybrid"
    """The search space: a built-in name or a file."""
    resolution: int = 48
    """Side of the images in pixels; one that the space has."""
    networks: int = 60
    """Random networks to rank."""
    draws: int = 8
    """Single draws for each number of images."""
    name: str = "zen_score_draws"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print the table."""
    require_at_least(config, {"networks": 3, "draws": max(AVERAGED)})
    space = load_space(config.space).with_resolutions((config.resolution,))
    members = space.decode_all(space.sample(np.random.default_rng(0), config.networks))
    several = ZenScore(space, channels=3, repeats=REFERENCE_DRAWS, batch=REFERENCE_BATCH, seed=REFERENCE_SEED)
    reference = several(members)
    rows = []
    for batch in BATCHES:
        single = dataclasses.replace(several, repeats=1, batch=batch)
        single(members[:1])  # compiles
        started = time.perf_counter()
        scores = np.array([dataclasses.replace(single, seed=seed)(members) for seed in range(config.draws)])
        milliseconds = 1e3 * (time.perf_counter() - started) / scores.size
        for count in AVERAGED:
            means = [scores[i : i + count].mean(axis=0) for i in range(0, len(scores) - count + 1, count)]
            rhos = [spearman_rho(mean, reference) for mean in means]
            agreement = (round(min(rhos), 4), round(float(np.mean(rhos)), 4))
            rows.append((batch, count, *agreement, round(milliseconds * count, 2)))
            console.say(" ".join(map(str, rows[-1])))
    header = ("images", "draws", "worst rho", "mean rho", "ms a network")
    console.table(rows, header)
    return {
        "reference": {"draws": REFERENCE_DRAWS, "images": REFERENCE_BATCH},
        "rows": [dict(zip(header, row, strict=True)) for row in rows],
    }


if __name__ == "__main__":
    main(benchmark, Config)
