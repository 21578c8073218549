"""A process that runs one job after the other: it gets a job, sends back its result, and gets the next.

Workers are started anew ("spawn") and not forked, because a fork of a process with threads (JAX, BLAS,
XGBoost) may hang.
"""

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
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


@dataclasses.dataclass(frozen=True)
class WorkerSettings:
    """Where a worker runs: on these cores (none: all), with these variables beside the environment's."""

    cores: tuple[int, ...] = ()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Worker:
    """The process, seen from the one that gives it jobs. What the jobs are of is sent once, at the start."""

    def __init__(self, work: Any, settings: WorkerSettings | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self.settings = settings or WorkerSettings()
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        arguments = (theirs, work, self.settings.cores)
        self.process: BaseProcess = context.Process(target=_serve, args=arguments, daemon=True)
        with _ignoring_signals(), _with(self.settings.environment):
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
        return result_of(outcome)

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
            connection.send_bytes(outcome_of(work, job))


def outcome_of(work: Any, job: Any) -> bytes:
    """What came of a job, pickled: its result, or the error that `result_of` raises."""
    try:
        return bytes(ForkingPickler.dumps(work.run(job)))
    except (UserError, MemoryError) as error:
        return bytes(ForkingPickler.dumps(error))
    except Exception:  # of any class; also a result that cannot be pickled
        return bytes(ForkingPickler.dumps(RuntimeError(f"{job}:\n{traceback.format_exc()}")))


def result_of(outcome: Any) -> Any:
    """The result in an outcome; raises the error that it is."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@contextlib.contextmanager
def _with(environment: Mapping[str, str]) -> Iterator[None]:
    """Processes that are started in here have these variables from their first moment on."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


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
    with _with({"PYTHONWARNINGS": "ignore::UserWarning"}):
        multiprocessing.resource_tracker.ensure_running()
