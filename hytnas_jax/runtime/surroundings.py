"""What a worker on another machine needs of the command's process to run a job as this would.

A local worker inherits all of it. A cluster's worker has been started by the cluster: it gets the
environment's settings of JAX and of this package, the folder that relative paths begin in, and the places
that Python imports from.
"""

import os
import sys
from collections.abc import Mapping
from typing import TypedDict

from hytnas_jax.runtime.environment import package_version
from hytnas_jax.runtime.preparation import cache_folder
from supernet.errors import UserError

_SENT = ("HYTNAS_JAX_", "JAX_", "XLA_", "TF_CPP_", "TFDS_", "OPENBLAS_", "MKL_")
# Those of one job on many processes: a worker is none of them.
_NOT_SENT = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "JAX_LOCAL_PROCESS_ID")
# Of compiled programs, where this process has chosen their folder: it is that of its own processor.
_OF_CACHE = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
# How many threads XLA's and OpenMP's pools have.
_THREADS = ("NPROC", "OMP_NUM_THREADS")
_SAME_VERSION = ("hytnas_jax", "jax")


class Surroundings(TypedDict):
    """Of plain values, so that a worker can read it before it imports anything of ours."""

    environment: dict[str, str]
    folder: str
    import_path: list[str]
    versions: dict[str, str | None]


def surroundings_for(*, cores: int, environment: Mapping[str, str]) -> Surroundings:
    """Those of this process, for a job that has so many cores; `environment` is set besides."""
    sent = {name: value for name, value in os.environ.items() if name.startswith(_SENT)}
    left_out = [*_NOT_SENT, *(_OF_CACHE if _has_own_cache() else ())]
    threads = {name: os.environ.get(name, str(cores)) for name in _THREADS}
    return {
        "environment": {
            **{name: value for name, value in sent.items() if name not in left_out},
            **threads,
            **environment,
        },
        "folder": os.getcwd(),
        "import_path": [os.path.abspath(place) for place in sys.path],
        "versions": {name: package_version(name) for name in _SAME_VERSION},
    }


def check_versions(versions: Mapping[str, str | None], where: str) -> None:
    """Raises UserError where this process has other versions, which may give other results."""
    for name, wanted in versions.items():
        found = package_version(name)
        if found != wanted:
            raise UserError(
                f"--executor ray: {where} has {name} {found}, and the command {wanted}; install the same "
                "version on all machines of the cluster"
            )


def _has_own_cache() -> bool:
    """Whether the folder of compiled programs is the one that `keep_compiled_programs` chooses here."""
    return os.environ.get("JAX_COMPILATION_CACHE_DIR") == str(cache_folder())
