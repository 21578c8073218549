"""Jobs in several processes of this machine: what each worker gets, and how it ends."""

import dataclasses
import os
import time
from pathlib import Path

import pytest

from hytnas_jax.runtime import executor
from hytnas_jax.runtime.executor import InProcess, LocalPool, local
from hytnas_jax.shared_flags.jobs import JobFlags


@dataclasses.dataclass(frozen=True)
class Halving:
    """Halves a number and tells its process and that process's cores."""

    def run(self, job: int) -> tuple[float, int, frozenset[int]]:
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


def test_a_worker_without_a_job_leaves_its_memory_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    happened = []

    class Noted(executor.Worker):
        def end(self) -> None:
            happened.append("a worker ends")
            super().end()

    monkeypatch.setattr(executor, "Worker", Noted)
    for _ in LocalPool(2).run(Halving(), range(2)):
        happened.append("a result")
    assert happened == ["a result", "a worker ends"] * 2


@dataclasses.dataclass(frozen=True)
class Counted:
    """Notes each time that it is unpacked, in a file."""

    folder: Path

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__dict__.update(state)
        (self.folder / f"{os.getpid()}-{time.perf_counter_ns()}").touch()

    def run(self, job: int) -> int:
        return job


def test_the_work_is_sent_once_to_each_worker(tmp_path: Path) -> None:
    assert len(list(LocalPool(2).run(Counted(tmp_path), range(9)))) == 9
    assert len(list(tmp_path.iterdir())) == 2


@dataclasses.dataclass(frozen=True)
class Meeting:
    """Waits until so many processes are there, and gives what each sees as the GPUs."""

    folder: Path
    workers: int

    def run(self, job: int) -> tuple[str | None, str | None]:
        (self.folder / str(os.getpid())).touch()
        for _ in range(3000):
            if len(list(self.folder.iterdir())) >= self.workers:
                break
            time.sleep(0.01)
        return os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("XLA_PYTHON_CLIENT_MEM_FRACTION")


def test_each_worker_sees_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,0,GPU-5ab,1")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    executor = JobFlags(gpus_per_job=1).make_executor(share_cores=True, on_gpus=True)
    assert executor.at_once == 4
    results = list(executor.run(Meeting(tmp_path, 4), range(4)))
    assert {gpus for _, (gpus, _) in results} == {"3", "0", "GPU-5ab", "1"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,0,GPU-5ab,1"


def test_two_workers_share_a_gpu_and_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    monkeypatch.delenv("XLA_PYTHON_CLIENT_MEM_FRACTION", raising=False)
    executor = JobFlags(gpus_per_job=0.5).make_executor(share_cores=False, on_gpus=True)
    results = list(executor.run(Meeting(tmp_path, 2), range(2)))
    assert [found for _, found in results] == [("2", "0.375")] * 2
