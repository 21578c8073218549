"""A whole study: from tables and strategies by name to the runs and what is reported of them."""

import contextlib
import dataclasses
from typing import Any

import numpy as np

from hytnas_jax import console
from hytnas_jax.mobo import Settings
from hytnas_jax.numbers import counted
from hytnas_jax.shared_flags.settings import flags_of
from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.columns import parse_columns
from hytnas_jax.study_search.config import Config
from hytnas_jax.study_search.folder import StudyFolder
from hytnas_jax.study_search.jobs import StrategyStudy
from hytnas_jax.study_search.ratio import scaled_values
from hytnas_jax.study_search.report import HEADERS, cells
from hytnas_jax.study_search.results import OVERVIEW, write_results
from hytnas_jax.study_search.strategies import make_strategies
from hytnas_jax.study_search.summary import summarise_all
from hytnas_jax.study_search.table import Table, read_table
from supernet.errors import UserError

# Nine of ten rows within such a share of an objective's range, of a table of so many rows, are warned of.
NARROW, FEW = 1e-3, 20


def compare(config: Config) -> None:
    """Make the runs that are missing and report all."""
    study = make_study(config)
    folder = StudyFolder(config.output)
    folder.begin(_settings(study), {table.name: table.digest for table in study.tables})
    jobs = study.jobs()
    todo = [job for job in jobs if not folder.has(job)]
    if todo:
        executor = config.make_executor(share_cores=False, on_gpus=False)
        results = executor.run(study, todo)
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


def make_study(config: Config) -> StrategyStudy:
    """What is to be run. Raises UserError for flags and tables that cannot be."""
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
        _tell(table)
        sizes = {"initial": config.initial, "evaluations": config.evaluations, "batch": max(config.batch)}
        for name, size in sizes.items():
            if size > len(table):
                raise UserError(
                    f"--{name} {size}: {table.name} has {counted(len(table), 'row')}; give at most as many"
                )
    budget = StudyBudget(config.evaluations, config.initial, config.initial_design)
    return StrategyStudy(
        tables, strategies, budget, range(config.first_seed, config.first_seed + config.seeds)
    )


def _tell(table: Table) -> None:
    """How the table was understood, and what in it leaves nothing to compare."""
    categories = [feature.name for feature in table.features if feature.is_categorical]
    numbers = [feature.name for feature in table.features if not feature.is_categorical]
    kinds = {"numbers": numbers, "categories": categories}
    told = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)
    console.say(f"{table.name}: {counted(len(table), 'row')}, {told}")
    scaled = np.sort(scaled_values(table), axis=0)
    for name, column in zip(table.columns.objectives, scaled.T, strict=True):
        middle = column[int(0.95 * (len(column) - 1))] - column[int(0.05 * (len(column) - 1))]
        if column[-1] == 0:
            console.warn(
                f"{table.name}: {name} is the same in all rows; there is nothing to trade it off for"
            )
        elif middle < NARROW and len(column) >= FEW:
            console.warn(
                f"{table.name}: nine of ten rows lie within {middle:.1g} of the range of {name}; a few far "
                "off make all others look alike: take them out of the table if they are slips"
            )


def _check_names(tables: tuple[Table, ...]) -> None:
    names = [table.name for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--table: {names.count(name)} files are called {name}; rename all but one")
        if name == OVERVIEW:
            raise UserError(f"--table: no file may be called {OVERVIEW}; rename it")


def _settings(study: StrategyStudy) -> dict[str, Any]:
    """All that changes a run of a given table, strategy and seed."""
    return {
        **dataclasses.asdict(study.tables[0].columns),
        **dataclasses.asdict(study.budget),
        "search_defaults": dataclasses.asdict(Settings()),
    }
