"""Running many independent jobs: in this process, or in several on this machine.

An executor runs the jobs in any order and gives each with its result, once. Another kind of executor (a
cluster's) needs `run` alone.
"""

import collections
import dataclasses
import multiprocessing.connection
from collections.abc import Generator, Iterable
from typing import Any, Protocol, TypeVar

from hytnas_jax.runtime.worker import Killed, Worker, cores_of
from supernet.errors import UserError

ATTEMPTS = 3  # that a job has: a machine that is short of memory kills whom it will
JobT = TypeVar("JobT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)


class Work(Protocol[JobT, ResultT]):
    """What the jobs are of: it and they can be pickled; `str(job)` tells the user which one it is."""

    def run(self, job: JobT) -> ResultT:
        """Run one of the jobs, in this process."""
        ...


class Executor(Protocol):
    """Runs jobs."""

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
    """

    processes: int
    share_cores: bool = False

    def run(
        self, work: Work[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[JobT, ResultT], None, None]:
        """As `Executor` says."""
        waiting = collections.deque((job, 1) for job in jobs)
        if len(waiting) <= 1:  # a process of its own would cost more than it gives
            yield from InProcess().run(work, [job for job, _ in waiting])
            return
        count = min(self.processes, len(waiting))
        cores = [cores_of(index, count) if self.share_cores else () for index in range(count)]
        alive: set[Worker] = set()
        busy: dict[Any, tuple[Worker, int]] = {}  # by connection, with the attempt at its job

        def begin(worker: Worker) -> None:
            alive.add(worker)
            if waiting:
                job, attempt = waiting.popleft()
                busy[worker.connection] = worker, attempt
                worker.give(job)

        try:
            for own in cores:
                begin(Worker(work, own))
            while busy:
                for connection in multiprocessing.connection.wait(list(busy)):
                    worker, attempt = busy.pop(connection)
                    try:
                        result = worker.take()
                    except Killed as killed:
                        if attempt == ATTEMPTS:
                            raise _given_up(worker.job, killed) from None
                        waiting.appendleft((worker.job, attempt + 1))
                        alive.discard(worker)
                        worker.end()
                        if not busy:
                            begin(Worker(work, worker.cores))
                        continue
                    yield worker.job, result
                    begin(worker)
        finally:
            for worker in alive:
                worker.end()


def local(processes: int, *, share_cores: bool = False) -> Executor:
    """The executor for so many jobs at once on this machine; one process means this one."""
    return InProcess() if processes <= 1 else LocalPool(processes, share_cores)


def _given_up(job: Any, killed: Killed) -> UserError:
    return UserError(
        f"a worker process {killed.how} during {job}, {ATTEMPTS} times; most often the memory is too small "
        "for so many. Nothing finished is lost: the same command again goes on, with fewer --processes if "
        "need be"
    )
