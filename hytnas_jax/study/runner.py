"""All searches of a study, several processes at once.

A search is a job; a worker gets one, sends back its trajectory, and gets the next. Workers are started
anew ("spawn") and not forked, because a fork of a process with threads (JAX, BLAS, XGBoost) may hang.
"""

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.connection
import signal
import traceback
from collections.abc import Generator, Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from hytnas_jax.study.budget import Budget
from hytnas_jax.study.strategies import Strategy
from hytnas_jax.study.table import Table
from hytnas_jax.study.trajectories import Trajectory, run_search
from supernet.errors import UserError

GONE = (EOFError, ConnectionError)


@dataclasses.dataclass(frozen=True, order=True)
class Job:
    """One search: a problem and a strategy by name, and a seed."""

    problem: str
    strategy: str
    seed: int

    def __str__(self) -> str:
        return f"{self.problem} · {self.strategy} · seed {self.seed}"


@dataclasses.dataclass(frozen=True, eq=False)
class Study:
    """Every strategy on every table from each of the seeds."""

    tables: tuple[Table, ...]
    strategies: tuple[Strategy, ...]
    budget: Budget
    seeds: range

    def jobs(self) -> list[Job]:
        """One seed of everything after the other."""
        return [
            Job(table.name, strategy.name, seed)
            for seed in self.seeds
            for table in self.tables
            for strategy in self.strategies
        ]

    def run(self, job: Job) -> Trajectory:
        """Make one of the searches, in this process."""
        (table,) = (table for table in self.tables if table.name == job.problem)
        (strategy,) = (strategy for strategy in self.strategies if strategy.name == job.strategy)
        return run_search(table, strategy, self.budget, job.seed)


def run_jobs(
    study: Study, jobs: Iterable[Job], *, processes: int
) -> Generator[tuple[Job, Trajectory], None, None]:
    """Make the jobs, up to `processes` at once, and give each with its trajectory as soon as it has ended.

    One process means this one. Closing the iterator ends the workers.

    Raises:
        UserError: a worker was killed.
    """
    todo = list(jobs)
    if min(processes, len(todo)) <= 1:
        for job in todo:
            yield job, study.run(job)
        return
    waiting = iter(todo)
    workers: list[_Worker] = []
    try:
        with _without_interrupts():
            for _ in range(min(processes, len(todo))):
                workers.append(_Worker(study))
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

    def __init__(self, study: Study) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, study), daemon=True)
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        self.job: Job | None = None

    def give(self, job: Job) -> None:
        self.job = job
        with self._explaining_its_end():
            self.connection.send(job)

    def take(self) -> tuple[Job, Trajectory]:
        with self._explaining_its_end():
            outcome = self.connection.recv()
        if isinstance(outcome, Exception):
            raise outcome
        assert self.job is not None
        return self.job, outcome

    def end(self) -> None:
        self.process.terminate()
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


def _serve(connection: Connection, study: Study) -> None:
    """What a worker does: jobs, until there are no more or the process that gives them has gone."""
    with contextlib.suppress(*GONE):
        while True:
            job = connection.recv()
            try:
                connection.send(study.run(job))
            except (UserError, MemoryError) as error:
                connection.send(error)
            except GONE:
                raise
            except Exception:  # of any class, some of which cannot be sent
                connection.send(RuntimeError(f"{job}:\n{traceback.format_exc()}"))


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """A Ctrl-C reaches every process of the terminal; those started in here do not hear it and are ended
    by the one that started them."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
