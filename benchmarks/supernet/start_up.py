"""Seconds until a command has shown its help or refused a wrong flag, beside Python's own start and JAX's.

    python -m benchmarks.supernet.start_up

Processes of their own, in turns; the least time counts. The target is half a second for every command.
"""

import dataclasses
import functools
import subprocess
import sys
from typing import Any

from benchmarks.common import least_seconds, main, require_at_least
from hytnas_jax import console

STEPS = ("train_supernet", "measure_latency", "search", "retrain", "export", "report")
MODULES = ("hytnas_jax", *(f"hytnas_jax.{name}" for name in (*STEPS, "describe", "study_search")))
PROGRAMS = {
    "python -c pass": ("-c", "pass"),
    "import jax": ("-c", "import jax"),
    **{f"{module} --help": ("-m", module, "--help") for module in MODULES},
    **{f"{module} --wrong": ("-m", module, "--wrong") for module in MODULES},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Time how long the commands take to answer."""

    rounds: int = 5
    """How often each program is started, after once that does not count."""
    name: str = "start_up"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print the table."""
    require_at_least(config, {"rounds": 1})
    programs = {name: functools.partial(start, name) for name in PROGRAMS}
    seconds = least_seconds(programs, config.rounds)
    console.table([(name, round(value, 3)) for name, value in seconds.items()], ("program", "s"))
    return {
        "seconds": seconds,
    }


def start(name: str) -> None:
    """Run a program to its end; raises RuntimeError where it ends otherwise than it should."""
    result = subprocess.run([sys.executable, *PROGRAMS[name]], capture_output=True)
    expected = 2 if name.endswith("--wrong") else 0
    if result.returncode != expected:
        raise RuntimeError(f"{name} ended with {result.returncode}: {result.stderr.decode()}")


if __name__ == "__main__":
    main(benchmark, Config)
