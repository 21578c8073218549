"""Running many independent jobs: in this process, or in several on this machine.

An executor runs the jobs in any order and gives each with its result, once. That of a cluster is
`ray_executor`.
"""

import collections
import dataclasses
import multiprocessing.connection
from collections.abc import Generator, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from hytnas_jax.runtime.worker import Killed, Worker, WorkerSettings, cores_of
from supernet.errors import UserError

ATTEMPTS = 3  # that a job has: a machine that is short of memory kills whom it will
_WITH_FEWER = "with fewer --processes if need be"
JobT = TypeVar("JobT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)


class Work(Protocol[JobT, ResultT]):
    """What the jobs are of: it and they can be pickled; `str(job)` tells the user which one it is."""

    def run(self, job: JobT) -> ResultT:
        """Run one of the jobs, in this process."""
        ...


class Executor(Protocol):
    """Runs jobs."""

    @property
    def at_once(self) -> int:
        """How many jobs run at the same time."""
        ...

    def run(
        self, work: Work[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[JobT, ResultT], None, None]:
        """Run the jobs, and give each with its result as soon as it has ended.

        Closing the iterator ends them all.

        Raises:
            UserError: a job has ended its process again and again.
        """
        ...


class InProcess:
    """One job after the other, in this process."""

    at_once = 1

    def run(
        self, work: Work[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[JobT, ResultT], None, None]:
        """As `Executor` says."""
        for job in jobs:
            yield job, work.run(job)


@dataclasses.dataclass(frozen=True)
class LocalPool:
    """Up to `processes` jobs at once, each worker on its own part of the cores with `share_cores`.

    A worker that is killed costs its own job's time: the job is run again, up to `ATTEMPTS` times, with one
    worker fewer where others are busy, for most often the memory is too small for so many.

    environments: one for each worker, of variables that are set before it starts, such as the GPUs that it
      sees; there are no more workers than these. None: all have those of this process.
    """

    processes: int
    share_cores: bool = False
    environments: tuple[Mapping[str, str], ...] = ()

    @property
    def at_once(self) -> int:
        """As `Executor` says."""
        return min(self.processes, len(self.environments) or self.processes)

    def run(
        self, work: Work[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[JobT, ResultT], None, None]:
        """As `Executor` says."""
        waiting = collections.deque((job, 1) for job in jobs)
        if len(waiting) <= 1:  # a process of its own would cost more than it gives
            yield from InProcess().run(work, [job for job, _ in waiting])
            return
        count = min(self.at_once, len(waiting))
        settings = [self._settings(index, count) for index in range(count)]
        alive: set[Worker] = set()
        busy: dict[Any, tuple[Worker, int]] = {}  # by connection, with the attempt at its job

        def begin(worker: Worker) -> None:
            """Give it a job; without one it ends, and leaves its memory to the others."""
            if not waiting:
                alive.discard(worker)
                worker.end()
                return
            alive.add(worker)
            job, attempt = waiting.popleft()
            busy[worker.connection] = worker, attempt
            worker.give(job)

        try:
            for own in settings:
                begin(Worker(work, own))
            while busy:
                for connection in multiprocessing.connection.wait(list(busy)):
                    worker, attempt = busy.pop(connection)
                    try:
                        result = worker.take()
                    except Killed as killed:
                        if attempt == ATTEMPTS:
                            raise given_up(worker.job, killed.how, _WITH_FEWER) from None
                        waiting.appendleft((worker.job, attempt + 1))
                        alive.discard(worker)
                        worker.end()
                        if not busy:
                            begin(Worker(work, worker.settings))
                        continue
                    yield worker.job, result
                    begin(worker)
        finally:
            for worker in alive:
                worker.end()

    def _settings(self, index: int, count: int) -> WorkerSettings:
        """Where worker `index` of `count` runs."""
        cores = cores_of(index, count) if self.share_cores else ()
        return WorkerSettings(tuple(cores), self.environments[index] if self.environments else {})


def local(
    processes: int, *, share_cores: bool = False, environments: tuple[Mapping[str, str], ...] = ()
) -> Executor:
    """The executor for so many jobs at once on this machine; one process means this one."""
    return InProcess() if processes <= 1 else LocalPool(processes, share_cores, environments)


def given_up(job: Any, how: str, remedy: str) -> UserError:
    """What is said of a job that has ended its process `ATTEMPTS` times."""
    return UserError(
        f"a worker process {how} during {job}, {ATTEMPTS} times; most often the memory is too small "
        f"for so many. Nothing finished is lost: the same command again goes on, {remedy}"
    )
