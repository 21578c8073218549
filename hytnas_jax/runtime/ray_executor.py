"""Running many independent jobs on a Ray cluster: several machines, each with its cores and GPUs.

Ray is imported when something is run. A task is one job; retries are counted here and not by Ray, so that
they mean the same as in a local pool.
"""

import collections
import contextlib
import dataclasses
import functools
import logging
import os
import platform
import signal
import socket
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

from hytnas_jax import console
from hytnas_jax.runtime.executor import ATTEMPTS, JobT, ResultT, Work, given_up
from hytnas_jax.runtime.gpus import jobs_on, memory_share
from hytnas_jax.runtime.surroundings import check_versions, surroundings_for
from hytnas_jax.runtime.worker import Killed, outcome_of, result_of
from supernet.errors import UserError, first_line

MOST_SENT = 1000  # jobs that Ray knows of at a time
ANSWER = 10.0  # seconds that the cluster has to answer
CANCELLED_AT_MOST, CANCELLING = 5, 2.0  # times that a job is told to end, and seconds that it has for it
_WITH_MORE_MEMORY = "with more --cores-per-job (fewer jobs at once on a machine) if need be"


@dataclasses.dataclass(frozen=True)
class RayExecutor:
    """As many jobs at once as the cluster has room for.

    A worker, or a machine, that is lost costs its own jobs' time: they are run again, up to `ATTEMPTS` times.
    What the jobs are of is sent once to each machine, where its arrays are shared and cannot be written.

    address: "auto" for the cluster that this machine is of, HOST:PORT for another; None: as the environment
      variable RAY_ADDRESS says, else a Ray on this machine that ends with this process.
    cores, gpus: what each job takes.
    """

    address: str | None = None
    cores: int = 1
    gpus: float = 0.0

    @property
    def at_once(self) -> int:
        """As `Executor` says; of the machines that the cluster has now."""
        return max(1, sum(self._room(machine) for machine in _machines(_connected(self.address))))

    def run(
        self, work: Work[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[JobT, ResultT], None, None]:
        """As `Executor` says."""
        waiting = collections.deque((job, 1) for job in jobs)
        if not waiting:
            return
        ray = _connected(self.address)
        self._warn_of_no_room(ray)
        send = self._sender(ray, work)
        running: dict[Any, tuple[JobT, int]] = {}  # by what Ray calls a reference, with the attempt
        try:
            while waiting or running:
                while waiting and len(running) < MOST_SENT:
                    job, attempt = waiting.popleft()
                    running[send(job)] = job, attempt
                (ended,), _ = ray.wait(list(running), num_returns=1)
                job, attempt = running.pop(ended)
                try:
                    result = _result(ray, ended, job)
                except Killed as killed:
                    if attempt == ATTEMPTS:
                        raise given_up(job, killed.how, _WITH_MORE_MEMORY) from None
                    waiting.appendleft((job, attempt + 1))
                    continue
                yield job, result
        finally:
            _cancel(ray, list(running))

    def _sender(self, ray: Any, work: Any) -> Callable[[Any], Any]:
        """Begins a job and gives Ray's reference to its outcome."""
        environment = memory_share(self.gpus) if self.gpus else {}
        given = ray.put(surroundings_for(cores=self.cores, environment=environment))
        shared = ray.put(work)
        task = ray.remote(num_cpus=self.cores, num_gpus=self.gpus, max_retries=0)(_task())
        # In a list the work is not unpacked before the worker knows where to import from.
        return lambda job: task.remote(given, [shared], ray.cloudpickle.dumps(job))

    def _room(self, machine: Mapping[str, float]) -> int:
        """How many jobs a machine with these resources has room for."""
        room = machine.get("CPU", 0) // self.cores
        if self.gpus:
            room = min(room, jobs_on(int(machine.get("GPU", 0)), self.gpus))
        return int(room)

    def _warn_of_no_room(self, ray: Any) -> None:
        machines = _machines(ray)
        if not any(self._room(machine) for machine in machines):
            most = {name: max((m.get(name, 0) for m in machines), default=0) for name in ("CPU", "GPU")}
            console.warn(
                f"no machine of the cluster has room for a job of --cores-per-job {self.cores}, "
                f"--gpus-per-job {self.gpus:g}: there are up to {most['CPU']:g} cores and {most['GPU']:g} "
                "GPUs in one; the jobs wait until a larger one joins the cluster"
            )


def _cancel(ray: Any, references: list[Any]) -> None:
    """End jobs: those that wait first, or one would begin where another ends. Ray may miss one that is just
    beginning, which is therefore told again."""
    for _ in range(CANCELLED_AT_MOST):
        if not references:
            return
        for reference in reversed(references):
            with contextlib.suppress(Exception):
                ray.cancel(reference, force=True)
        with contextlib.suppress(Exception):
            _, references = ray.wait(references, num_returns=len(references), timeout=CANCELLING)


def _task() -> Callable[[Any, list[Any], bytes], bytes]:
    """What a worker does for a job, of the surroundings, the work in a list and the job.

    A function inside another is sent whole, not by its name: where this module is imported from, the worker
    knows only when it has the surroundings. So nothing of ours stands in its head.
    """

    def run(given: Any, work: list[Any], job: bytes) -> bytes:
        import os
        import sys

        os.environ.update(given["environment"])
        own = [place for place in sys.path if place not in given["import_path"]]
        sys.path[:] = [*given["import_path"], *own]
        if os.path.isdir(given["folder"]):
            os.chdir(given["folder"])
        from hytnas_jax.runtime.ray_executor import serve

        return serve(work[0], job, given["versions"])

    return run


def serve(work: Any, job: bytes, versions: Mapping[str, str | None]) -> bytes:
    """In a worker: run a job, and give what came of it. `work` is Ray's reference."""
    import ray

    check_versions(versions, platform.node())
    return outcome_of(_work_of(work), ray.cloudpickle.loads(job))


@functools.lru_cache(maxsize=1)
def _work_of(reference: Any) -> Any:
    """Unpacked once in each worker, so that what it has compiled is of use for the next job."""
    import ray

    return ray.get(reference)


def _result(ray: Any, reference: Any, job: Any) -> Any:
    """The result of a job that has ended. Raises Killed, or what the job has raised."""
    errors = ray.exceptions
    try:
        outcome = ray.get(reference)
    except errors.OutOfMemoryError:
        raise Killed("was ended by Ray, as its machine ran out of memory,") from None
    except (errors.NodeDiedError, errors.ObjectLostError):
        raise Killed("was lost with its machine") from None
    except errors.WorkerCrashedError:
        raise Killed("was killed") from None
    except errors.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        if isinstance(error.cause, ImportError):
            raise UserError(
                f"--executor ray: a machine of the cluster cannot run {job} ({error.cause}); install on it "
                "what is installed here"
            ) from None
        raise RuntimeError(f"{job}:\n{error}") from None
    return result_of(ray.cloudpickle.loads(outcome))


def _machines(ray: Any) -> list[Mapping[str, float]]:
    """The resources of each machine that is there."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _connected(address: str | None) -> Any:
    """Ray, connected to the cluster. Raises UserError where that is not reached."""
    import ray

    if ray.is_initialized():
        return ray
    address = address or os.environ.get("RAY_ADDRESS") or None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        if address not in (None, "auto"):
            _check_answer(address)
        with _own_signals():
            # "local" is a new one: without an address Ray would join whatever runs on this machine.
            ray.init(
                address or "local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
    except (ConnectionError, TimeoutError, OSError, ValueError, RuntimeError) as error:
        where = "on this machine" if address is None else f"at {address}"
        raise UserError(
            f"--executor ray: Ray is not reached {where} ({first_line(error)}); `ray status` on a machine "
            "of the cluster says whether it is up; give --address auto on one of its machines, or HOST:PORT "
            "(with RAY_AUTH_MODE=token where it asks for a token)"
        ) from None
    return ray


def _check_answer(address: str) -> None:
    """Raises OSError where nothing listens there: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), timeout=ANSWER).close()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; afterwards `stopping` hears of it again."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
