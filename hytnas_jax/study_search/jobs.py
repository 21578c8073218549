"""A study as jobs: every search of every table from every seed."""

import dataclasses

from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.strategies import Strategy
from hytnas_jax.study_search.table import Table
from hytnas_jax.study_search.trajectories import Trajectory, run_search


@dataclasses.dataclass(frozen=True, order=True)
class SearchJob:
    """One search: a problem and a strategy by name, and a seed."""

    problem: str
    strategy: str
    seed: int

    def __str__(self) -> str:
        return f"{self.problem} · {self.strategy} · seed {self.seed}"


@dataclasses.dataclass(frozen=True, eq=False)
class StrategyStudy:
    """Every strategy on every table from each of the seeds."""

    tables: tuple[Table, ...]
    strategies: tuple[Strategy, ...]
    budget: StudyBudget
    seeds: range

    def jobs(self) -> list[SearchJob]:
        """One seed of everything after the other."""
        return [
            SearchJob(table.name, strategy.name, seed)
            for seed in self.seeds
            for table in self.tables
            for strategy in self.strategies
        ]

    def run(self, job: SearchJob) -> Trajectory:
        """Make one of the searches, in this process."""
        (table,) = (table for table in self.tables if table.name == job.problem)
        (strategy,) = (strategy for strategy in self.strategies if strategy.name == job.strategy)
        return run_search(table, strategy, self.budget, job.seed)
