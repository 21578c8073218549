"""The flags of `study_search`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.jobs import JobFlags
from hytnas_jax.shared_flags.ranges import (
    MOST_NETWORKS,
    MOST_SEED,
    SEED,
    check_ranges,
    within,
)
from hytnas_jax.study_search.budget import InitialDesign
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class StudyFlags:
    """The study itself."""

    table: tuple[Path, ...]
    """CSV files with a header, one problem each (named by the file's name); a row is a configuration."""
    features: tuple[str, ...]
    """The columns that are searched, numbers or categories, e.g. layers,width,rate."""
    objectives: tuple[str, ...]
    """The columns that are traded off, two to four, each with its direction, e.g. bleu:max,seconds:min."""
    output: Path
    """The folder to write to."""
    surrogate: tuple[str, ...] = ()
    """Models of what is evaluated, e.g. gp xgboost (any other word lists them all); none: the search's
    default settings, as the strategy "default"."""
    acquisition: tuple[str, ...] = ()
    """What makes a configuration promising, e.g. ucb ei; none: the default one."""
    selection: tuple[str, ...] = ()
    """How a batch is chosen from the promising, e.g. hvi; none: the default one."""
    batch: Annotated[tuple[int, ...], within(1, 1000)] = (1,)
    """How many are suggested at once; each number is a strategy of its own."""
    evaluations: Annotated[int, within(3, MOST_NETWORKS)] = 60
    """Configurations that a run evaluates in all."""
    initial: Annotated[int, within(2, MOST_NETWORKS)] = 10
    """How many of them are there before anything is suggested, the same for every strategy of a seed."""
    initial_design: InitialDesign = "random"
    """random: numpy.random.default_rng(seed).permutation(rows)[:initial], nothing else; ours: spread out, as
    the search begins."""
    seeds: Annotated[int, within(1, 100_000)] = 10
    """Runs of each strategy on each table, from the seeds first_seed, first_seed + 1, ..."""
    first_seed: Annotated[int, SEED] = 0
    """Where the seeds begin: a strategy chosen by some seeds is evaluated on others."""
    categorical: tuple[str, ...] = ()
    """Features that have no order although they are numbers."""
    known_objectives: tuple[str, ...] = ()
    """Objectives whose value is known before the evaluation: looked up and not modelled."""


@dataclasses.dataclass(frozen=True)
class Config(JobFlags, StudyFlags):
    """Compare search strategies over tables in which every configuration has been evaluated."""


def check(config: Config) -> None:
    """Raises UserError for numbers that cannot be."""
    check_ranges(config)
    config.check_jobs()
    if not config.table:
        raise UserError("--table: give at least one CSV file")
    if config.first_seed + config.seeds - 1 > MOST_SEED:
        raise UserError(
            f"--first-seed {config.first_seed}: with --seeds {config.seeds} the last one is above "
            f"{MOST_SEED}; begin lower, or with fewer"
        )
    if config.evaluations <= config.initial:
        raise UserError(
            f"--evaluations {config.evaluations}: must be above {config.initial} (--initial), or nothing is "
            "ever suggested"
        )
