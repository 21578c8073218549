"""What a search loses where its Gaussian process learns from some of the evaluations only.

    python -m benchmarks.search.bounded_points --tables DIR_OF_CSV_FILES --cells tnb101_micro.csv

Above 2,048 evaluations the Gaussian process learns from the front, the most recent evaluations and some that
are spread evenly over the others; above 512 its hyperparameters come from evenly spread ones. Here both
bounds are 64, or only the second is, in searches of 200 evaluations on four problems of 604 to 1,000 rows. So
the models see a third of the evaluations at the end, as they do at 6,500 evaluations with the real bounds. Up
to 64 evaluations all searches of a seed are the same, and the benchmark fails where they are not.

Reported: the share of the table's hypervolume, its mean after evaluations 65 to 200 and at the end; and the
difference to learning from everything, with the 95% interval of its mean over the seeds (Student's t). A
quarter of an hour on two cores.
"""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from benchmarks.common import main, require_at_least, show
from benchmarks.search.study import FEATURES, LARGE, OBJECTIVES
from benchmarks.search.unseen import CELLS, EDGES
from hytnas_jax import console
from hytnas_jax.mobo import Settings
from hytnas_jax.mobo.surrogates import SURROGATES, GaussianProcess
from hytnas_jax.runtime import executor
from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.columns import parse_columns
from hytnas_jax.study_search.jobs import StrategyStudy
from hytnas_jax.study_search.searchers import Propose, bayesian
from hytnas_jax.study_search.strategies import Strategy
from hytnas_jax.study_search.table import Table, read_table
from hytnas_jax.study_search.trajectories import Trajectory

EVALUATIONS, INITIAL, BATCH = 200, 20, 8
BOUND = 64
EVERYTHING = "all points"
# variant -> most points of the posterior, and of the hyperparameters
VARIANTS = {
    EVERYTHING: (EVALUATIONS, EVALUATIONS),
    f"hyperparameters from {BOUND}": (EVALUATIONS, BOUND),
    f"both from {BOUND}": (BOUND, BOUND),
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare searches whose Gaussian process learns from some evaluations with one that learns from all."""

    tables: Path
    """The folder of the CSV files of `search.study`."""
    cells: Path
    """The CSV file of cells of `search.unseen`."""
    seeds: int = 20
    """Searches of each variant on each problem."""
    processes: int = 2
    """Searches made at the same time."""
    name: str = "search_bounded_points"
    """Of the result's file."""


def bounded(table: Table, seed: int, *, variant: str) -> Propose:
    """The default search with the bounds of a variant."""
    most, most_for_hyperparameters = VARIANTS[variant]
    bounds = {"most_points": most, "most_for_hyperparameters": most_for_hyperparameters}
    SURROGATES[variant] = type("Bounded", (GaussianProcess,), bounds)
    return bayesian(table, seed, settings=Settings(surrogate=variant), batch=BATCH)


def problems(config: Config) -> tuple[Table, ...]:
    """Two tables of translation models, and the cells in two tasks."""
    models = parse_columns(features=FEATURES, objectives=OBJECTIVES)
    found = [read_table(config.tables / f"{name}.csv", models) for name in LARGE]
    for name, objectives in CELLS.items():
        columns = parse_columns(features=EDGES, objectives=objectives)
        found.append(dataclasses.replace(read_table(config.cells, columns), name=name))
    return tuple(found)


def search(config: Config) -> dict[tuple[str, str], list[Trajectory]]:
    """(problem, variant) -> its searches, by seed."""
    strategies = tuple(Strategy(name, functools.partial(bounded, variant=name)) for name in VARIANTS)
    budget = StudyBudget(EVALUATIONS, INITIAL, "random")
    study = StrategyStudy(problems(config), strategies, budget, range(config.seeds))
    jobs, found = study.jobs(), {}
    with console.progress(len(jobs), "searching") as bar:
        for job, trajectory in executor.local(config.processes).run(study, jobs):
            found[job] = trajectory
            bar.advance()
    return {
        (table.name, strategy.name): [
            found[job] for job in jobs if (job.problem, job.strategy) == (table.name, strategy.name)
        ]
        for table in study.tables
        for strategy in strategies
    }


def shares(trajectories: list[Trajectory]) -> np.ndarray:
    """Of the table's hypervolume in percent, [S, 2]: the mean from evaluation `BOUND` on, and at the end."""
    ratios = np.stack([trajectory.hypervolume_ratios for trajectory in trajectories])
    return 100.0 * np.stack([ratios[:, BOUND:].mean(axis=1), ratios[:, -1]], axis=1)


def interval(differences: np.ndarray) -> dict[str, float]:
    """Mean of differences [S], and how far the 95% interval of the mean reaches to both sides."""
    count = len(differences)
    reach = student.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count)
    return {"difference": round(float(differences.mean()), 3), "+-": round(float(reach), 3)}


def compare(found: dict[tuple[str, str], list[Trajectory]]) -> list[dict[str, Any]]:
    """A row for each problem and variant, and for the mean of all problems."""
    names = list(dict.fromkeys(problem for problem, _ in found))
    for (problem, variant), trajectories in found.items():
        for seed, trajectory in enumerate(trajectories):
            same = found[problem, EVERYTHING][seed].rows[:BOUND]
            if not np.array_equal(trajectory.rows[:BOUND], same):
                raise RuntimeError(f"{problem}, {variant}, seed {seed}: another search before the bound")
    everywhere = {key: shares(trajectories) for key, trajectories in found.items()}
    for variant in VARIANTS:
        everywhere["mean", variant] = np.mean([everywhere[name, variant] for name in names], axis=0)
    rows = []
    for problem in (*names, "mean"):
        for variant in VARIANTS:
            of_seeds, beside = everywhere[problem, variant], everywhere[problem, EVERYTHING]
            row: dict[str, Any] = {"problem": problem, "variant": variant}
            for m, measure in enumerate(("mean share", "final share")):
                row[measure] = round(float(of_seeds[:, m].mean()), 2)
                difference = interval(of_seeds[:, m] - beside[:, m])
                row |= {f"{measure}, {name}": value for name, value in difference.items()}
            rows.append(row)
    return rows


def benchmark(config: Config) -> dict[str, Any]:
    """Search, compare, print."""
    require_at_least(config, {"seeds": 2, "processes": 1})
    rows = compare(search(config))
    show(rows)
    return {"evaluations": EVALUATIONS, "initial": INITIAL, "batch": BATCH, "bound": BOUND, "rows": rows}


if __name__ == "__main__":
    main(benchmark, Config)
