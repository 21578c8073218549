"""The flags of `train_supernet`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.runtime.stalling import USUAL_MINUTES
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.shared_flags.ranges import (
    MOST_BATCH,
    MOST_EPOCHS,
    MOST_MINUTES,
    MOST_PROCESSES,
    SEED,
    above,
    check_ranges,
    within,
)


@dataclasses.dataclass(frozen=True)
class Config(DataConfig):
    """Train one network that contains all networks of a search space.

    Later commands read cheap accuracy estimates for any architecture from it.
    """

    epochs: Annotated[int | None, within(1, MOST_EPOCHS)] = None
    """How many times each training image is seen. If not given: 30, and more of few images
    with boxes or masks."""
    batch_size: Annotated[int | None, within(2, MOST_BATCH)] = None
    """Images in a training step. If not given: 32, and 8 with boxes or masks."""
    learning_rate: Annotated[float | None, within(1e-8, 10)] = None
    """Peak learning rate of AdamW. If not given: 1e-2, and less for a classifier's supernet of
    more than 160,000 weights."""
    random_subnets: Annotated[int, within(1, 64)] = 2
    """Random networks trained in each step, beside the smallest and the largest, which teaches them."""
    init_from: Path | None = None
    """Another work folder: begin with the weights of its supernet, all but the classifier's, or, for another
    task, the head's. The space is that one's too; images, classes and resolutions may be others."""
    hosts: Annotated[int | None, within(1, MOST_PROCESSES)] = None
    """How many processes this job has, most often one on each host; another number is refused. If not given:
    as many as the environment tells of (docs/scale.md)."""
    stall_minutes: Annotated[float, above(0, MOST_MINUTES)] = USUAL_MINUTES
    """Of a job of several processes: it ends where a training goes no further for so many minutes."""
    seed: Annotated[int, SEED] = 0
    """Of the splits, the weights and the order of the images."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
