"""How this process was started: alone, or as one of the processes of a job. Imports no JAX."""

import dataclasses
import os
from collections.abc import Mapping, Sequence

from supernet.errors import UserError

EXPLICIT = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
TORCHRUN = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK")
OPEN_MPI = ("OMPI_MCA_orte_hnp_uri", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK")
# A batch script has some of them, a step of `srun` has all.
SLURM = ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID")
TPU_HOSTS = ("TPU_PROCESS_ADDRESSES", "TPU_WORKER_HOSTNAMES")
MADE_FOR_MANY = ("train_supernet", "retrain")


@dataclasses.dataclass(frozen=True)
class Launch:
    """One process of a job.

    processes: how many there are. process: which one this is; 0 is the lead. by: what says so, in words.
    coordinator: "host:port" of the lead; None where JAX finds it by its `method`. device: the only device of
    this host to use; None: all, or what JAX finds by its method.
    """

    processes: int = 1
    process: int = 0
    by: str = "no launcher's variables are set"
    coordinator: str | None = None
    method: str = "deactivate"
    device: int | None = None


def detect(environment: Mapping[str, str] | None = None) -> Launch:
    """How this process was started, by its environment: the first that is there of JAX's own variables,
    torchrun's, Open MPI's, SLURM's and those of a TPU slice on GKE; else it is alone.

    Raises UserError for variables that are incomplete or no numbers.
    """
    given = os.environ if environment is None else environment
    found = _explicit(given) or _torchrun(given) or _open_mpi(given) or _slurm(given) or _tpu_slice(given)
    if found is None or found.processes == 1:
        return Launch()
    if not 0 <= found.process < found.processes:
        raise UserError(f"{found.by}: there is no process {found.process} among {found.processes}")
    return found


def require_processes(wanted: int | None, found: Launch) -> None:
    """Raises UserError where --hosts wants another number than was found; None wants any."""
    if wanted is None or wanted == found.processes:
        return
    raise UserError(
        f"--hosts {wanted}: {_counted(found.processes)} found ({found.by}); start {wanted} by torchrun, srun "
        f"or mpirun, or set {', '.join(EXPLICIT)} in each"
    )


def require_one(found: Launch) -> None:
    """Raises UserError for one of several processes, of a command that is made for one."""
    if found.processes > 1:
        raise UserError(
            f"{found.processes} processes of one job were found ({found.by}), and this command is made for "
            f"one; run {' and '.join(MADE_FOR_MANY)} so, and every other command, the main job too, in one "
            "process: outside of the launcher, or without these variables"
        )


def _counted(processes: int) -> str:
    return "one process was" if processes == 1 else f"{processes} processes were"


def _explicit(given: Mapping[str, str]) -> Launch | None:
    address, count, which = EXPLICIT
    if count not in given and which not in given:  # an address alone only corrects what a launcher says
        return None
    missing = [name for name in EXPLICIT if name not in given]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} must be set in the environment too: all of {', '.join(EXPLICIT)}, or "
            "none"
        )
    return Launch(_whole(given, count), _whole(given, which), _by("", EXPLICIT), given[address])


def _torchrun(given: Mapping[str, str]) -> Launch | None:
    if not _has(given, TORCHRUN):
        return None
    port = _whole(given, "MASTER_PORT")
    if given.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        port += 1  # torchrun itself listens at the other
    here = _whole(given, "LOCAL_WORLD_SIZE") if "LOCAL_WORLD_SIZE" in given else 1
    return Launch(
        _whole(given, "WORLD_SIZE"),
        _whole(given, "RANK"),
        _by("torchrun's", TORCHRUN),
        f"{given['MASTER_ADDR']}:{port}",
        device=_whole(given, "LOCAL_RANK") if here > 1 else None,
    )


def _open_mpi(given: Mapping[str, str]) -> Launch | None:
    if not _has(given, OPEN_MPI):
        return None
    _, count, which = OPEN_MPI
    return Launch(_whole(given, count), _whole(given, which), _by("Open MPI's", OPEN_MPI), method="ompi")


def _slurm(given: Mapping[str, str]) -> Launch | None:
    if not _has(given, SLURM):
        return None
    count, which = _whole(given, "SLURM_NTASKS"), _whole(given, "SLURM_PROCID")
    return Launch(count, which, _by("SLURM's", SLURM), method="slurm")


def _tpu_slice(given: Mapping[str, str]) -> Launch | None:
    hosts = next((given[name].split(",") for name in TPU_HOSTS if name in given), [])
    if len(hosts) < 2 or "TPU_WORKER_ID" not in given:
        return None
    slices, this = (
        _whole(given, name) if name in given else default
        for name, default in (("MEGASCALE_NUM_SLICES", 1), ("MEGASCALE_SLICE_ID", 0))
    )
    process = _whole(given, "TPU_WORKER_ID") + this * len(hosts)
    by = _by("a TPU slice's", ("TPU_WORKER_HOSTNAMES", "TPU_WORKER_ID"))
    return Launch(len(hosts) * slices, process, by, method="gketpu")


def _has(given: Mapping[str, str], names: Sequence[str]) -> bool:
    return all(name in given for name in names)


def _by(whose: str, names: Sequence[str]) -> str:
    return f"by {whose} {', '.join(names)}".replace("  ", " ")


def _whole(given: Mapping[str, str], name: str) -> int:
    try:
        return int(given[name])
    except (KeyError, ValueError):
        raise UserError(
            f"the environment variable {name} is {given.get(name)!r}: it must be a whole number, as the "
            "launcher sets it"
        ) from None
