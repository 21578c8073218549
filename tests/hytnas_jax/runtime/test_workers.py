"""Jobs in several processes: the same results as in one, and what is said when a worker is gone."""

import dataclasses
import os

import pytest

from hytnas_jax.runtime import workers
from hytnas_jax.runtime.workers import run_jobs
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Halving:
    """Halves a number and tells its process and that process's cores."""

    fails: bool = False

    def run(self, job: int) -> tuple[float, int, frozenset[int]]:
        if self.fails:
            raise TypeError("a bug")
        return job / 2, os.getpid(), frozenset(os.sched_getaffinity(0))


def test_results_come_with_their_jobs_from_any_number_of_processes() -> None:
    for processes in (1, 2, 9):
        results = dict(run_jobs(Halving(), range(5), processes=processes))
        assert {job: half for job, (half, *_) in results.items()} == {0: 0.0, 1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0}
        pids = {pid for _, pid, _ in results.values()}
        assert (pids == {os.getpid()}) == (processes == 1)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core only")
def test_workers_that_share_the_cores_keep_to_their_own() -> None:
    results = dict(run_jobs(Halving(), range(8), processes=2, share_cores=True))
    cores = {pid: mine for _, pid, mine in results.values()}
    assert len(cores) == 2
    first, second = cores.values()
    assert not first & second
    assert first | second == os.sched_getaffinity(0)


def test_a_worker_that_is_killed_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    give = workers._Worker.give

    def give_and_kill(worker: workers._Worker, job: int) -> None:
        give(worker, job)
        worker.process.kill()

    monkeypatch.setattr(workers._Worker, "give", give_and_kill)
    with pytest.raises(UserError) as error:
        list(run_jobs(Halving(), range(4), processes=2))
    assert "a worker process was killed by signal 9 during " in str(error.value)
    assert "the same command again goes on" in str(error.value)


def test_an_error_in_a_worker_arrives_with_its_job() -> None:
    with pytest.raises(RuntimeError, match=r"[01]:\n(.|\n)*TypeError: a bug"):
        list(run_jobs(Halving(fails=True), range(2), processes=2))
