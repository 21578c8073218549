"""Jobs in several processes: the same results as in one, and what is said when a worker is gone."""

from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.study import runner
from hytnas_jax.study.budget import Budget
from hytnas_jax.study.runner import Job, Study, run_jobs
from hytnas_jax.study.strategies import Strategy, make_strategies
from hytnas_jax.study.trajectories import run_search
from supernet.errors import UserError

from .tables import grid

BUDGET = Budget(evaluations=10, initial=6, initial_design="random")


def make_study(folder: Path) -> Study:
    strategies = make_strategies(surrogates=(), acquisitions=(), selections=(), batches=(1,))
    return Study((grid(folder),), strategies, BUDGET, seeds=range(2))


def test_the_number_of_processes_changes_no_result(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    assert len(study.jobs()) == 6
    assert {job.seed for job in study.jobs()[:3]} == {0}  # seed by seed, so that a part is a whole too
    one = dict(run_jobs(study, study.jobs(), processes=1))
    two = dict(run_jobs(study, study.jobs(), processes=2))
    assert set(one) == set(two) == set(study.jobs())
    for job in one:
        np.testing.assert_array_equal(one[job].rows, two[job].rows)
        np.testing.assert_array_equal(one[job].hypervolume_ratios, two[job].hypervolume_ratios)


def test_a_worker_that_is_killed_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give = runner._Worker.give

    def give_and_kill(worker: runner._Worker, job: Job) -> None:
        give(worker, job)
        worker.process.kill()

    monkeypatch.setattr(runner._Worker, "give", give_and_kill)
    study = make_study(tmp_path)
    with pytest.raises(UserError) as error:
        list(run_jobs(study, study.jobs(), processes=2))
    assert "a worker process was killed by signal 9 during grid · " in str(error.value)
    assert "the same command again goes on" in str(error.value)


def test_an_error_in_a_worker_arrives_with_its_job(tmp_path: Path) -> None:
    broken = Strategy("broken", run_search)  # it takes other arguments
    study = Study((grid(tmp_path),), (broken,), BUDGET, seeds=range(2))
    with pytest.raises(RuntimeError, match=r"grid · broken · seed [01]:\n(.|\n)*TypeError"):
        list(run_jobs(study, study.jobs(), processes=2))
