"""A study's searches: seed by seed, and each by its names alone."""

from pathlib import Path

import numpy as np

from hytnas_jax.runtime.executor import InProcess, LocalPool
from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.jobs import SearchJob, StrategyStudy
from hytnas_jax.study_search.strategies import make_strategies

from .tables import grid

BUDGET = StudyBudget(evaluations=10, initial=6, initial_design="random")


def test_the_number_of_processes_changes_no_search(tmp_path: Path) -> None:
    strategies = make_strategies(surrogates=(), acquisitions=(), selections=(), batches=(1,))
    study = StrategyStudy((grid(tmp_path),), strategies, BUDGET, seeds=range(2))
    jobs: list[SearchJob] = study.jobs()
    assert len(jobs) == 6
    assert {job.seed for job in jobs[:3]} == {0}  # seed by seed, so that a part is a whole too
    one = dict(InProcess().run(study, jobs))
    two = dict(LocalPool(2).run(study, jobs))
    assert set(one) == set(two) == set(jobs)
    for job in one:
        np.testing.assert_array_equal(one[job].rows, two[job].rows)
        np.testing.assert_array_equal(one[job].hypervolume_ratios, two[job].hypervolume_ratios)
