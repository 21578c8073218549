"""The NVIDIA GPUs of this machine, and which of them each of several processes sees. Does not import JAX.

A process of JAX takes three quarters of the memory of every GPU that it sees. So processes side by side see
one GPU each, by CUDA_VISIBLE_DEVICES, which has to be set before they start.
"""

import importlib.metadata
import os
import subprocess
from collections.abc import Mapping

VISIBLE = "CUDA_VISIBLE_DEVICES"
PREALLOCATE, FRACTION = "XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION"
_SHARE_OF_MEMORY = 0.75  # of a GPU, which JAX takes where nothing else is said


def visible_gpus() -> tuple[str, ...]:
    """The ids of the GPUs that this process may use: those of CUDA_VISIBLE_DEVICES, else all."""
    told = os.environ.get(VISIBLE)
    if told is None:
        return tuple(str(number) for number in range(_count()))
    ids = [name.strip() for name in told.split(",") if name.strip()]
    return tuple(ids[: ids.index("-1")] if "-1" in ids else ids)  # CUDA reads no further


def jax_uses_gpus() -> bool:
    """Whether JAX would compute on NVIDIA GPUs here: its plugin is installed and not ruled out."""
    chosen = os.environ.get("JAX_PLATFORMS", "")
    if chosen and not {"cuda", "gpu"} & set(chosen.split(",")):
        return False
    return any("cuda" in plugin.name for plugin in importlib.metadata.entry_points(group="jax_plugins"))


def jobs_on(num_gpus: int, per_job: float) -> int:
    """How many jobs find room; below 1, each GPU has a whole number of them."""
    return num_gpus * int(1 / per_job) if per_job < 1 else num_gpus // int(per_job)


def shares(gpus: tuple[str, ...], per_job: float) -> tuple[dict[str, str], ...]:
    """The environment of each process that finds room on the GPUs: with 2 a job every two of them, with 0.5
    each of them twice, its memory shared out."""
    if per_job < 1:
        of_one, memory = jobs_on(1, per_job), memory_share(per_job)
        return tuple({VISIBLE: gpu, **memory} for _ in range(of_one) for gpu in gpus)
    each = int(per_job)
    whole = range(0, len(gpus) - each + 1, each)
    return tuple({VISIBLE: ",".join(gpus[first : first + each])} for first in whole)


def memory_share(per_job: float) -> dict[str, str]:
    """What has JAX take its share of the memory of a GPU that others use too, unless the user has said."""
    if per_job >= 1 or FRACTION in os.environ:
        return {}
    return {FRACTION: f"{_SHARE_OF_MEMORY * per_job:.3f}"}


def leave_memory_to_workers() -> Mapping[str, str]:
    """Let JAX in this process take only what it needs of a GPU, as workers need the rest.

    Gives what sets the workers' environment as this one's was. It is too late where JAX has computed.
    """
    before = os.environ.get(PREALLOCATE)
    if before is not None:
        return {}
    os.environ[PREALLOCATE] = "false"
    return {PREALLOCATE: "true"}


def _count() -> int:
    """The number of GPUs that the driver of this machine lists."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
