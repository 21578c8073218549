"""The flags of `study_ranking`."""

import dataclasses
import re
from pathlib import Path
from typing import Annotated, Literal

from hytnas_jax.shared_flags.jobs import JobFlags
from hytnas_jax.shared_flags.ranges import (
    MOST_BATCH,
    MOST_EPOCHS,
    MOST_NETWORKS,
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
class StudyFlags:
    """The study itself."""

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
    part: str | None = None
    """i/n: train only the i-th of n parts of the reference trainings, beside other commands that train the
    other parts (an array of SLURM jobs). Then the same command without --part merges them, trains what is
    missing, and reports."""


@dataclasses.dataclass(frozen=True)
class Config(JobFlags, StudyFlags):
    """Train networks of the space on their own, and say how well each estimate ranks them."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
    config.check_jobs()
    if config.part is not None:
        _check_part(config)
    if config.epochs == AUTO and config.repeated < FEWEST_REPEATED:
        raise UserError(
            f"--repeated {config.repeated}: --epochs auto compares trainings from two seeds, so at least "
            f"{FEWEST_REPEATED} networks have to be trained from both; give --repeated 10, or a number"
        )


def part_of(text: str) -> tuple[int, int]:
    """The number of a part, from 1 on, and how many there are. Raises UserError for anything but i/n."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise UserError(
            f"--part {text}: must be i/n with whole numbers, i from 1 to n: 1/8, 2/8, ... 8/8 are all of "
            "8 parts"
        )
    return number, count


def _check_part(config: Config) -> None:
    part_of(config.part or "")
    if config.executor == "ray":
        raise UserError(
            f"--part {config.part}: with --executor ray one command runs all trainings on the cluster; leave "
            "out one of the two"
        )
    if config.epochs == AUTO:
        raise UserError(
            f"--part {config.part}: with --epochs auto how long networks are trained depends on all parts; "
            "give a number of epochs"
        )
