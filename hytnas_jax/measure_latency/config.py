"""The flags of `measure_latency`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.ranges import MOST_NETWORKS, SEED, check_ranges, within


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure networks on this machine and fit the latency predictor: ten seconds to a minute."""

    workdir: Path
    """The work folder; train_supernet has begun it."""
    networks: Annotated[int, within(10, MOST_NETWORKS)] = 64
    """Networks to measure, drawn uniformly from the space. With more the predictions get better."""
    seed: Annotated[int, SEED] = 0
    """Another seed draws other networks."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
