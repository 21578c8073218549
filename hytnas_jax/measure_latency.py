"""Measure networks of the search space on this machine and fit the latency predictor.

    python -m hytnas_jax.measure_latency --workdir runs/digits

The networks are drawn uniformly, written as ONNX and timed in turns (`device.measure`). Every result
is in `latency/measurements.csv` once it is certain; the same command again goes on from there.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.command import run
from hytnas_jax.ranges import MOST_NETWORKS, SEED, check_ranges, within


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure networks on this machine and fit the latency predictor: ten seconds to a minute."""

    workdir: Path
    """The work folder; train_supernet has begun it."""
    networks: Annotated[int, within(10, MOST_NETWORKS)] = 64
    """Networks to measure, drawn uniformly from the space. With more the predictions get better."""
    seed: Annotated[int, SEED] = 0
    """Another seed draws other networks."""


def main(config: Config) -> None:
    """Measure, or go on measuring, and say how good the predictor is on networks that it has not seen."""
    check_ranges(config)
    from hytnas_jax.steps.measure_latency import measure_latency

    measure_latency(config)


if __name__ == "__main__":
    run(main, Config)
