"""The flags that say where many independent jobs run, shared by the commands that have such jobs.

Commands that measure have none of them: a measurement needs the processor for itself.
"""

import dataclasses
import importlib.util
import math
import os
import re
from typing import Annotated, Literal

from hytnas_jax.numbers import counted
from hytnas_jax.runtime import gpus
from hytnas_jax.runtime.executor import Executor, local
from hytnas_jax.shared_flags.ranges import MOST_PROCESSES, within
from supernet.errors import UserError

MOST_GPUS = 64
_HOST_AND_PORT = re.compile(r"[^\s:/]+:\d{1,5}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobFlags:
    """Where the jobs run, and what each of them takes."""

    executor: Literal["local", "ray"] = "local"
    """local: processes on this machine; ray: tasks of a Ray cluster (pip install 'hytnas_jax[ray]')."""
    address: str | None = None
    """With --executor ray: auto for the cluster that this machine is of, or HOST:PORT. If not given: as
    RAY_ADDRESS says, else a Ray on this machine alone."""
    processes: Annotated[int | None, within(1, MOST_PROCESSES)] = None
    """Jobs that run at the same time on this machine. If not given: one on each core, or on each GPU where
    networks are trained on GPUs."""
    cores_per_job: Annotated[int | None, within(1, MOST_PROCESSES)] = None
    """With --executor ray: cores that the cluster keeps for a job, and its threads. If not given: 1."""
    gpus_per_job: Annotated[float | None, within(0, MOST_GPUS)] = None
    """GPUs that only this job sees; 0.5: two jobs share one, and its memory; 0: none is assigned. If not
    given: on this machine one where networks are trained on GPUs, on a cluster none."""

    def check_jobs(self) -> None:
        """Raises UserError for flags that make no sense together, and where Ray is not installed."""
        per_job = self.gpus_per_job or 0.0
        if per_job > 1 and per_job != int(per_job):
            raise UserError(f"--gpus-per-job {per_job:g}: must be whole above 1; give {int(per_job)}")
        if self.executor == "ray":
            self._check_ray()
            return
        if self.address is not None:
            raise UserError(
                f"--address {self.address}: is that of a Ray cluster; give --executor ray too, or leave "
                "it out"
            )
        if self.cores_per_job is not None:
            raise UserError(
                f"--cores-per-job {self.cores_per_job}: is for --executor ray; on this machine the jobs "
                "share the cores out, so give --processes"
            )

    def make_executor(self, *, share_cores: bool, on_gpus: bool) -> Executor:
        """What runs the jobs; `on_gpus` where they are computed on GPUs if there are any.

        Raises UserError where this machine has too few GPUs.
        """
        if self.executor == "ray":
            from hytnas_jax.runtime.ray_executor import RayExecutor

            return RayExecutor(self.address, self.cores_per_job or 1, self.gpus_per_job or 0.0)
        environments = self._environments(on_gpus)
        processes = self.processes or len(environments) or os.cpu_count() or 1
        if environments and processes > 1:
            own = gpus.leave_memory_to_workers()
            environments = tuple({**own, **environment} for environment in environments)
        return local(processes, share_cores=share_cores, environments=environments)

    def _environments(self, on_gpus: bool) -> tuple[dict[str, str], ...]:
        """One for each local worker, where each is given GPUs of its own."""
        per_job = self.gpus_per_job
        if per_job is None:
            per_job = float(on_gpus and gpus.jax_uses_gpus() and len(gpus.visible_gpus()) > 0)
        if per_job == 0:
            return ()
        there = gpus.visible_gpus()
        found = gpus.shares(there, per_job)
        if not found:
            raise UserError(
                f"--gpus-per-job {per_job:g}: this machine has {len(there)} (see CUDA_VISIBLE_DEVICES and "
                "nvidia-smi -L); give at most as many, or 0"
            )
        if self.processes is not None and self.processes > len(found):
            each = -(-self.processes // len(there))  # jobs on a GPU
            raise UserError(
                f"--processes {self.processes}: {counted(len(there), 'GPU is', 'GPUs are')} enough for "
                f"{counted(len(found), 'job')} of {per_job:g}; give at most {len(found)}, or a smaller "
                f"--gpus-per-job ({math.floor(1000 / each) / 1000:g}, say)"
            )
        return found

    def _check_ray(self) -> None:
        if self.processes is not None:
            raise UserError(
                f"--processes {self.processes}: is for --executor local; a Ray cluster runs as many jobs as "
                "it has room for, so give --cores-per-job and --gpus-per-job"
            )
        if importlib.util.find_spec("ray") is None:
            raise UserError("--executor ray: Ray is not installed; pip install 'hytnas_jax[ray]'")
        if self.address not in (None, "auto") and not _HOST_AND_PORT.fullmatch(self.address):
            raise UserError(
                f"--address {self.address}: must be auto or HOST:PORT; for a cluster elsewhere (ray://) run "
                "the command on one of its machines, which see the work folder"
            )


JOB_FLAGS = tuple(field.name for field in dataclasses.fields(JobFlags))  # none of them changes a result
