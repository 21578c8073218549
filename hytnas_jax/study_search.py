"""Compare search strategies over finite tables, where everything there is has been evaluated.

    python -m hytnas_jax.study_search --table nmt.csv --features layers,width,rate \\
        --objectives bleu:max,seconds:min --surrogate gp xgboost --acquisition ucb ei --output runs/study

A row of a table is a configuration with its objectives' values. Every combination of surrogate, acquisition,
selection and batch searches every table from every seed, beside random search and NSGA-II; without
--surrogate it is the search's default settings. The same command again goes on where it was cut; more seeds,
strategies or tables may be added in the same --output, and what it has of earlier commands is reported too.
"""

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import Any

from hytnas_jax import console
from hytnas_jax.command import flags_of, require_at_least, run
from hytnas_jax.mobo import Settings
from hytnas_jax.study.columns import parse_columns
from hytnas_jax.study.folder import StudyFolder
from hytnas_jax.study.report import HEADERS, cells
from hytnas_jax.study.results import OVERVIEW, write_results
from hytnas_jax.study.runner import Study, run_jobs
from hytnas_jax.study.strategies import make_strategies
from hytnas_jax.study.summary import summarise_all
from hytnas_jax.study.table import Table, read_table
from hytnas_jax.study.trajectories import Budget, InitialDesign
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare search strategies over tables in which every configuration has been evaluated."""

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
    batch: tuple[int, ...] = (1,)
    """How many are suggested at once; each number is a strategy of its own."""
    evaluations: int = 60
    """Configurations that a run evaluates in all."""
    initial: int = 10
    """How many of them are there before anything is suggested, the same for every strategy of a seed."""
    initial_design: InitialDesign = "random"
    """random: numpy.random.default_rng(seed).permutation(rows)[:initial], nothing else; ours: spread out, as
    the search begins."""
    seeds: int = 10
    """Runs of each strategy on each table, from the seeds first_seed, first_seed + 1, ..."""
    first_seed: int = 0
    """Where the seeds begin: a strategy chosen by some seeds is judged by others."""
    categorical: tuple[str, ...] = ()
    """Features that have no order although they are numbers."""
    known_objectives: tuple[str, ...] = ()
    """Objectives whose value is known before the evaluation: looked up and not modelled."""
    processes: int = os.cpu_count() or 1
    """Runs made at the same time; the results do not depend on it."""


def main(config: Config) -> None:
    """Make the runs that are missing and report all."""
    study = make_study(config)
    folder = StudyFolder(config.output)
    folder.begin(_settings(study), {table.name: table.digest for table in study.tables})
    jobs = study.jobs()
    todo = [job for job in jobs if not folder.has(job)]
    if todo:
        results = run_jobs(study, todo, processes=config.processes)
        bar = console.progress(len(jobs), "searching", done=len(jobs) - len(todo))
        with bar, contextlib.closing(results):
            for job, trajectory in results:
                folder.add(job, trajectory)
                bar.note(str(job))
                bar.advance()
    runs = folder.runs()
    console.say("ratio of the hypervolume, smallest AUC-regret first:")
    console.table(
        [cells(row, config.evaluations) for row in summarise_all(runs, initial=config.initial)], HEADERS
    )
    command = f"python -m hytnas_jax.study_search {flags_of(config)}"
    console.wrote(write_results(folder, runs, budget=study.budget, command=command))


def make_study(config: Config) -> Study:
    """What is to be run. Raises UserError for flags and tables that cannot be."""
    if not config.table:
        raise UserError("--table: give at least one CSV file")
    require_at_least(config, {"initial": 2, "seeds": 1, "first_seed": 0, "processes": 1})
    if config.evaluations <= config.initial:
        raise UserError(
            f"--evaluations {config.evaluations}: must be above {config.initial} (--initial), or nothing is "
            "ever suggested"
        )
    columns = parse_columns(
        features=config.features,
        objectives=config.objectives,
        categorical=config.categorical,
        known=config.known_objectives,
    )
    strategies = make_strategies(
        surrogates=config.surrogate,
        acquisitions=config.acquisition,
        selections=config.selection,
        batches=config.batch,
    )
    tables = tuple(read_table(path, columns) for path in config.table)
    _check_names(tables)
    for table in tables:
        sizes = {"initial": config.initial, "evaluations": config.evaluations, "batch": max(config.batch)}
        for name, size in sizes.items():
            if size > len(table):
                raise UserError(f"--{name} {size}: {table.name} has {len(table)} rows; give at most as many")
    budget = Budget(config.evaluations, config.initial, config.initial_design)
    return Study(tables, strategies, budget, range(config.first_seed, config.first_seed + config.seeds))


def _check_names(tables: tuple[Table, ...]) -> None:
    names = [table.name for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--table: {names.count(name)} files are called {name}; rename all but one")
        if name == OVERVIEW:
            raise UserError(f"--table: no file may be called {OVERVIEW}; rename it")


def _settings(study: Study) -> dict[str, Any]:
    """All that changes a run of a given table, strategy and seed."""
    return {
        **dataclasses.asdict(study.tables[0].columns),
        **dataclasses.asdict(study.budget),
        "search_defaults": dataclasses.asdict(Settings()),
    }


if __name__ == "__main__":
    run(main, Config)  # type: ignore[type-var]  # it keeps no work folder
