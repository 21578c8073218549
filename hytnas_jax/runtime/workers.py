"""Jobs in several processes at once.

A worker gets a job, sends back its result, and gets the next. Workers are started anew ("spawn") and not
forked, because a fork of a process with threads (JAX, BLAS, XGBoost) may hang.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import signal
import traceback
from collections.abc import Generator, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar

from hytnas_jax.runtime import stopping
from supernet.errors import UserError

GONE = (EOFError, ConnectionError)
JobT = TypeVar("JobT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)


class Work(Protocol[JobT, ResultT]):
    """What the jobs are of: it and they can be pickled; `str(job)` tells the user which one it is."""

    def run(self, job: JobT) -> ResultT:
        """Make one of the jobs, in this process."""
        ...


def run_jobs(
    work: Work[JobT, ResultT], jobs: Iterable[JobT], *, processes: int, share_cores: bool = False
) -> Generator[tuple[JobT, ResultT], None, None]:
    """Make the jobs, up to `processes` at once, and give each with its result as soon as it has ended.

    One process means this one. Closing the iterator ends the workers. With `share_cores` each worker keeps
    to its own part of the processor's cores, where the system can do that: threads of one do not wait
    for those of another.

    Raises:
        UserError: a worker was killed.
    """
    todo = list(jobs)
    if min(processes, len(todo)) <= 1:
        for job in todo:
            yield job, work.run(job)
        return
    waiting = iter(todo)
    workers: list[_Worker] = []
    try:
        with _deaf_children():
            count = min(processes, len(todo))
            for index in range(count):
                workers.append(_Worker(work, _cores(index, count) if share_cores else ()))
        busy = {worker.connection: worker for worker in workers}
        for worker in workers:
            worker.give(next(waiting))
        while busy:
            for connection in multiprocessing.connection.wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]  # they are the connections given
                yield worker.take()
                following = next(waiting, None)
                if following is None:
                    del busy[worker.connection]
                else:
                    worker.give(following)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process that makes one job at a time."""

    def __init__(self, work: Work[Any, Any], cores: Sequence[int]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, work, cores), daemon=True)
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        self.job: Any = None

    def give(self, job: Any) -> None:
        self.job = job
        with self._explaining_its_end():
            self.connection.send(job)

    def take(self) -> tuple[Any, Any]:
        with self._explaining_its_end():
            outcome = self.connection.recv()
        if isinstance(outcome, Exception):
            raise outcome
        return self.job, outcome

    def end(self) -> None:
        self.process.kill()  # SIGTERM it does not hear; its files are whole at any time
        self.process.join()
        self.connection.close()

    @contextlib.contextmanager
    def _explaining_its_end(self) -> Iterator[None]:
        try:
            yield
        except GONE:
            self.process.join()
            code = self.process.exitcode or 0
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            raise UserError(
                f"a worker process {how} during {self.job}; most often the memory is too small for so many. "
                "Nothing finished is lost: the same command again goes on, with fewer --processes if need be"
            ) from None


def _cores(index: int, count: int) -> list[int]:
    """The part of the cores that worker `index` of `count` keeps to; none where the system cannot say."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    mine = sorted(os.sched_getaffinity(0))
    return mine[index::count] or [mine[index % len(mine)]]


def _serve(connection: Connection, work: Work[Any, Any], cores: Sequence[int]) -> None:
    """What a worker does: jobs, until there are no more or the process that gives them has gone."""
    if cores:
        os.sched_setaffinity(0, cores)
    with contextlib.suppress(*GONE):
        while True:
            job = connection.recv()
            try:
                connection.send(work.run(job))
            except (UserError, MemoryError) as error:
                connection.send(error)
            except GONE:
                raise
            except Exception:  # of any class, some of which cannot be sent
                connection.send(RuntimeError(f"{job}:\n{traceback.format_exc()}"))


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """A Ctrl-C, or a scheduler's SIGTERM, may reach a whole group of processes; those started in here do not
    hear it and are ended by the one that started them, which hears it as ever."""
    _start_tracker()  # here, as it would end the blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_tracker() -> None:
    """The process that cleans up after workers which were ended; of what it finds it says nothing."""
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = "ignore::UserWarning"
    try:
        multiprocessing.resource_tracker.ensure_running()
    finally:
        os.environ.pop("PYTHONWARNINGS")
        if before is not None:
            os.environ["PYTHONWARNINGS"] = before
