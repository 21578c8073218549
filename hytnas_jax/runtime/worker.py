"""A process that runs one job after the other: it gets a job, sends back its result, and gets the next.

Workers are started anew ("spawn") and not forked, because a fork of a process with threads (JAX, BLAS,
XGBoost) may hang.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import signal
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from hytnas_jax.runtime import stopping
from supernet.errors import UserError

GONE = (EOFError, OSError)  # OSError: in the middle of a message too


class Killed(Exception):
    """The process has ended during its job; `how` says in words what ended it."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Worker:
    """The process, seen from the one that gives it jobs. What the jobs are of is sent once, at the start.

    cores: those that it keeps to; none: all.
    """

    def __init__(self, work: Any, cores: Sequence[int] = ()) -> None:
        context = multiprocessing.get_context("spawn")
        self.cores = cores
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, work, cores), daemon=True)
        with _ignoring_signals():
            self.process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        self.job: Any = None

    def give(self, job: Any) -> None:
        """Begin a job. A process that has ended is noticed when its result is taken."""
        self.job = job
        with contextlib.suppress(*GONE):
            self.connection.send(job)

    def take(self) -> Any:
        """The result of the job, or what it has raised. Raises Killed where the process has ended."""
        try:
            outcome = self.connection.recv()
        except GONE:
            self.process.join()
            code = self.process.exitcode or 0
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            raise Killed(how) from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def end(self) -> None:
        """End the process, whatever it does: its files are whole at any time."""
        self.process.kill()  # SIGTERM it does not hear
        self.process.join()
        self.connection.close()


def cores_of(index: int, count: int) -> list[int]:
    """The part of the cores that worker `index` of `count` keeps to; an empty list where the system cannot
    say."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    mine = sorted(os.sched_getaffinity(0))
    return mine[index::count] or [mine[index % len(mine)]]


def _serve(connection: Connection, work: Any, cores: Sequence[int]) -> None:
    """What a worker does: jobs, until there are no more or the process that gives them has gone."""
    if cores:
        os.sched_setaffinity(0, cores)
    with contextlib.suppress(*GONE):
        while True:
            job = connection.recv()
            connection.send_bytes(_outcome(work, job))


def _outcome(work: Any, job: Any) -> bytes:
    """What came of a job, pickled: its result, or the error that `Worker.take` raises."""
    try:
        return bytes(ForkingPickler.dumps(work.run(job)))
    except (UserError, MemoryError) as error:
        return bytes(ForkingPickler.dumps(error))
    except Exception:  # of any class; also a result that cannot be pickled
        return bytes(ForkingPickler.dumps(RuntimeError(f"{job}:\n{traceback.format_exc()}")))


@contextlib.contextmanager
def _ignoring_signals() -> Iterator[None]:
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
