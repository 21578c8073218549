"""The flags of `study_ranking`."""

import dataclasses
import os
from pathlib import Path
from typing import Annotated, Literal

from hytnas_jax.shared_flags.ranges import (
    MOST_BATCH,
    MOST_EPOCHS,
    MOST_NETWORKS,
    MOST_PROCESSES,
    SEED,
    above,
    check_ranges,
    within,
)
from supernet.errors import UserError

AUTO = "auto"
EPOCHS = 20  # where nothing else is said; with --epochs auto the first length
FEWEST_REPEATED = 3  # networks trained twice, of which there is a ranking


@dataclasses.dataclass(frozen=True)
class Config:
    """Train networks of the space on their own, and say how well each estimate ranks them."""

    workdir: Path
    """The work folder; train_supernet has begun it."""
    networks: Annotated[int, within(6, MOST_NETWORKS)] = 40
    """Networks that are trained, from the cheapest to the dearest in even steps of log MACs."""
    repeated: Annotated[int, within(0, MOST_NETWORKS)] = 10
    """How many of them (at most all) are trained from a second seed too: how far can the reference itself be
    trusted?"""
    epochs: Annotated[int | Literal["auto"], within(1, MOST_EPOCHS)] = EPOCHS
    """How often each training image is seen. auto: 20 times (or as often as the study began with), then
    twice as often, all networks anew, and so on: until Kendall's tau between two seeds, and between one
    length and the next, are both at least 0.8, or --max-epochs or --max-hours end it."""
    max_epochs: Annotated[int, within(1, MOST_EPOCHS)] = 320
    """With --epochs auto: no training is longer."""
    max_hours: Annotated[float, above(0, 100_000)] = 24.0
    """With --epochs auto: no longer trainings are begun where all together would take more hours; expected
    from those that have ended, whose seconds are in references.csv."""
    batch_size: Annotated[int, within(2, MOST_BATCH)] = 64
    """Images in a training step."""
    learning_rate: Annotated[float, within(1e-8, 10)] = 1e-2
    """Peak learning rate of AdamW."""
    seed: Annotated[int, SEED] = 0
    """Of the draw, and of the first training; the second has the next one."""
    processes: Annotated[int, within(1, MOST_PROCESSES)] = os.cpu_count() or 1
    """Networks trained at the same time, each on its part of the cores; on an accelerator give 1."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
    if config.epochs == AUTO and config.repeated < FEWEST_REPEATED:
        raise UserError(
            f"--repeated {config.repeated}: --epochs auto compares trainings from two seeds, so at least "
            f"{FEWEST_REPEATED} networks have to be trained from both; give --repeated 10, or a number"
        )
