"""A contract: every executor makes the same of the same jobs, gives each result once, and runs a job again
whose worker was killed. Ray's stands beside the others where Ray is installed; it is started once."""

import contextlib
import dataclasses
import importlib
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hytnas_jax.runtime.executor import ATTEMPTS, Executor, InProcess, LocalPool
from hytnas_jax.runtime.ray_executor import RayExecutor, _task
from supernet.errors import UserError

IN_PROCESS, LOCAL, RAY = "in process", "local pool", "ray"
IN_WORKERS = (LOCAL, RAY)


@pytest.fixture(scope="module")
def ray_executor() -> Iterator[RayExecutor]:
    """A Ray on this machine, which the first job starts."""
    ray = pytest.importorskip("ray")
    before = os.environ.pop("RAY_ADDRESS", None)
    yield RayExecutor()
    ray.shutdown()
    if before is not None:
        os.environ["RAY_ADDRESS"] = before


@pytest.fixture
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == RAY:
        return request.getfixturevalue("ray_executor")
    return InProcess() if request.param == IN_PROCESS else LocalPool(2)


everywhere = pytest.mark.parametrize("executor", [IN_PROCESS, *IN_WORKERS], indirect=True)
in_workers = pytest.mark.parametrize("executor", IN_WORKERS, indirect=True)
on_ray = pytest.mark.parametrize("executor", [RAY], indirect=True)


def test_a_cluster_that_does_not_answer_is_named() -> None:
    pytest.importorskip("ray")
    with pytest.raises(UserError, match=r"Ray is not reached at 127\.0\.0\.1:1 \(.*give --address auto"):
        list(RayExecutor("127.0.0.1:1").run(Sums(np.ones(2)), range(2)))


@dataclasses.dataclass(frozen=True, eq=False)
class Sums:
    """Large work and small jobs: `factor` times an array's sums."""

    values: NDArray[np.float64]

    def run(self, job: int) -> NDArray[np.float64]:
        return job * np.cumsum(self.values)


@everywhere
def test_results_are_the_same_and_come_once(executor: Executor) -> None:
    values = np.random.default_rng(0).normal(size=300_000)  # Ray shares it, and it cannot be written
    results = list(executor.run(Sums(values), range(5)))
    assert sorted(job for job, _ in results) == list(range(5))
    for job, sums in results:
        np.testing.assert_array_equal(sums, job * np.cumsum(values))
        sums += 1  # a result is the caller's own


@everywhere
def test_no_jobs_have_no_results(executor: Executor) -> None:
    assert list(executor.run(Sums(np.ones(2)), [])) == []


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


@in_workers
def test_a_killed_worker_costs_its_job_a_second_time(executor: Executor, tmp_path: Path) -> None:
    """Every job has one result, and the others are not made again."""
    results = list(executor.run(Deadly(tmp_path, ATTEMPTS - 1), range(5)))
    assert sorted(job for job, _ in results) == list(range(5))
    assert all(result[0] == job for job, result in results)
    assert len(list(tmp_path.iterdir())) == ATTEMPTS - 1


@in_workers
def test_a_job_that_kills_again_and_again_is_named(executor: Executor, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a worker process was killed.* during 1, 3 times") as error:
        list(executor.run(Deadly(tmp_path, 99), range(4)))
    assert "the same command again goes on" in str(error.value)
    assert len(list(tmp_path.iterdir())) == ATTEMPTS


@dataclasses.dataclass(frozen=True)
class Wrong:
    error: Exception

    def run(self, job: int) -> None:
        raise self.error


@in_workers
def test_a_bug_arrives_with_its_job_and_its_traceback(executor: Executor) -> None:
    with pytest.raises(RuntimeError, match=r"[01]:\n(.|\n)*in run\n(.|\n)*TypeError: a bug"):
        list(executor.run(Wrong(TypeError("a bug")), range(2)))


@everywhere
def test_what_the_user_can_mend_arrives_as_it_is(executor: Executor) -> None:
    with pytest.raises(UserError, match=r"^--flag: must be another$"):
        list(executor.run(Wrong(UserError("--flag: must be another")), range(2)))


@dataclasses.dataclass(frozen=True)
class Sleeper:
    """All but job 0 say which process they are of, and sleep for longer than a test lasts."""

    folder: Path

    def run(self, job: int) -> None:
        if job:
            (self.folder / str(os.getpid())).touch()
            time.sleep(300)


def lives(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


@in_workers
def test_closing_ends_what_runs(executor: Executor, tmp_path: Path) -> None:
    results = executor.run(Sleeper(tmp_path), range(9))
    next(results)
    results.close()
    until = time.monotonic() + 60
    while any(lives(int(path.name)) for path in tmp_path.iterdir()):
        assert time.monotonic() < until
        time.sleep(0.1)


class Looking:
    """What a job sees of the command's process."""

    def run(self, job: int) -> dict[str, str | None]:
        names = ("HYTNAS_JAX_CACHE", "JAX_OF_TEST", "JAX_PROCESS_ID", "JAX_COMPILATION_CACHE_DIR", "NPROC")
        return {"folder": os.getcwd(), **{name: os.environ.get(name) for name in names}}


@on_ray
def test_a_job_on_ray_has_the_surroundings_of_the_command(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAX_OF_TEST", "as here")
    monkeypatch.setenv("JAX_PROCESS_ID", "7")
    monkeypatch.delenv("NPROC", raising=False)
    ((_, seen),) = RayExecutor(cores=2).run(Looking(), [0])
    assert seen == {
        "folder": str(tmp_path),
        "HYTNAS_JAX_CACHE": os.environ["HYTNAS_JAX_CACHE"],
        "JAX_OF_TEST": "as here",
        "JAX_PROCESS_ID": None,
        "JAX_COMPILATION_CACHE_DIR": os.environ.get("JAX_COMPILATION_CACHE_DIR"),
        "NPROC": "2",
    }


def test_a_worker_need_not_know_where_the_packages_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """It unpacks the task, which then tells it: a cluster was not started with this process's sys.path."""
    sent = pytest.importorskip("ray").cloudpickle.dumps(_task())
    for name in [name for name in sys.modules if name.partition(".")[0] in ("hytnas_jax", "supernet")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert callable(pickle.loads(sent))
    with pytest.raises(ImportError):
        importlib.import_module("hytnas_jax.runtime")


@on_ray
def test_a_job_that_no_machine_has_room_for_is_told(
    executor: Executor, capsys: pytest.CaptureFixture[str]
) -> None:
    demanding = RayExecutor(cores=5000)
    assert executor.at_once >= demanding.at_once == 1
    demanding._warn_of_no_room(pytest.importorskip("ray"))
    assert "no machine of the cluster has room for a job of --cores-per-job 5000" in capsys.readouterr().err
