"""Every executor makes the same of the same jobs; a job whose worker is killed is made again."""

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from hytnas_jax.runtime import executor
from hytnas_jax.runtime.executor import ATTEMPTS, InProcess, LocalPool, local
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
    assert isinstance(local(1), InProcess)
    for processes in (1, 2, 9):
        results = dict(local(processes).run(Halving(), range(5)))
        assert {job: half for job, (half, *_) in results.items()} == {0: 0.0, 1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0}
        pids = {pid for _, pid, _ in results.values()}
        assert (pids == {os.getpid()}) == (processes == 1)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core only")
def test_workers_that_share_the_cores_keep_to_their_own() -> None:
    results = dict(LocalPool(2, share_cores=True).run(Halving(), range(8)))
    cores = {pid: mine for _, pid, mine in results.values()}
    assert len(cores) == 2
    first, second = cores.values()
    assert not first & second
    assert first | second == os.sched_getaffinity(0)


@dataclasses.dataclass(frozen=True)
class Deadly:
    """Job 1 kills its process, so many times; a file for each."""

    folder: Path
    times: int

    def run(self, job: int) -> tuple[int, int]:
        deaths = len(list(self.folder.iterdir()))
        if job == 1 and deaths < self.times:
            (self.folder / str(deaths)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return job, os.getpid()


@dataclasses.dataclass(frozen=True)
class Truncated:
    def run(self, job: int) -> None:
        raise EOFError("a file ends too early")


def test_an_error_that_looks_like_an_end_is_none() -> None:
    with pytest.raises(RuntimeError, match=r"(.|\n)*EOFError: a file ends too early"):
        list(LocalPool(2).run(Truncated(), range(2)))


@dataclasses.dataclass(frozen=True)
class Large:
    def run(self, job: int) -> bytes:
        return bytes(3 * 10**8)


def test_a_worker_that_is_killed_in_the_middle_of_a_result() -> None:
    worker = executor.Worker(Large())
    worker.give(1)
    while not worker.connection.poll(0.01):
        pass
    worker.process.kill()
    with pytest.raises(executor.Killed, match="signal 9"):
        worker.take()
    worker.end()


def test_a_killed_worker_costs_its_job_a_second_time(tmp_path: Path) -> None:
    """Every job has one result, and the others are not made again."""
    results = list(LocalPool(2).run(Deadly(tmp_path, ATTEMPTS - 1), range(5)))
    assert sorted(job for job, _ in results) == list(range(5))
    assert all(result[0] == job for job, result in results)


def test_a_job_that_kills_again_and_again_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        list(LocalPool(2).run(Deadly(tmp_path, ATTEMPTS), range(4)))
    assert "a worker process was killed by signal 9 during 1, 3 times" in str(error.value)
    assert "the same command again goes on" in str(error.value)


def test_closing_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = []

    class Noted(executor.Worker):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            workers.append(self)

    monkeypatch.setattr(executor, "Worker", Noted)
    results = LocalPool(2).run(Halving(), range(9))
    next(results)
    results.close()
    assert len(workers) == 2
    assert not any(worker.process.is_alive() for worker in workers)


def test_an_error_in_a_worker_arrives_with_its_job() -> None:
    with pytest.raises(RuntimeError, match=r"[01]:\n(.|\n)*TypeError: a bug"):
        list(LocalPool(2).run(Halving(fails=True), range(2)))
