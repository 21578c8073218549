"""What was never measured on a GPU, in three calls of at most nine minutes each.

    benchmarks/on_gpu.sh 1 --out DIR
    python -m benchmarks.on_gpu --call 1 --out DIR
    python -m benchmarks.on_gpu --smoke

A call runs its parts one after the other, the important ones first, each in a process of its own: it gives
the GPU back, and a part that fails or takes too long costs no other. A part's file is written as soon as
something is known, and says whether the part has come to its end. `call_N.json` names what was skipped, and
why.
"""

import contextlib
import dataclasses
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import main
from benchmarks.on_gpu.config import Config
from benchmarks.on_gpu.parts import CALLS, Part, allowed_seconds, part_of, parts_of
from benchmarks.on_gpu.record import COMPLETE, Run, note_end
from hytnas_jax import console
from hytnas_jax.files.atomic import write_json
from hytnas_jax.shared_flags.settings import flags_of
from supernet.errors import UserError

MARGIN = 5.0  # seconds between the end that a part knows of and the one that it is stopped at
GRACE = 10.0  # seconds that a stopped part has to end
# XLA compiles longer than anything of --smoke runs.
OF_SMOKE = {"JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


def benchmark(config: Config) -> None:
    """One part here, or the parts of calls as processes. All results are written by the parts."""
    if config.seconds < 1:
        raise UserError(f"--seconds {config.seconds:g}: must be at least 1")
    if config.part is not None:
        measure(config, part_of(config.part))
        return
    rows = list[dict[str, Any]]()
    for call in CALLS if config.call == "all" else (config.call,):
        rows += run_parts(config, parts_of(call), config.folder / f"call_{call}.json")
    if any(row["ended"].startswith("failed") for row in rows):
        sys.exit(1)


def measure(config: Config, part: Part) -> None:
    """One part, in this process."""
    run = Run(part.name, config, until=time.monotonic() + config.seconds)
    try:
        part.measure()(run)
    except Exception as error:
        run.report(error=f"{type(error).__name__}: {error}")
        raise
    run.close()
    console.wrote([run.path])


def run_parts(config: Config, parts: Sequence[Part], file: Path) -> list[dict[str, Any]]:
    """Each in a process of its own, within the seconds of the call; a row for each, also in the file."""
    end, rows = time.monotonic() + config.seconds, list[dict[str, Any]]()
    for number, part in enumerate(parts):
        allowed = allowed_seconds(end - time.monotonic(), part, parts[number + 1 :])
        started = time.monotonic()
        console.say(f"\n[{part.name}] {allowed:.0f} s at most")
        ended = _skipped(part, allowed) or _ran(config, part, allowed)
        taken = round(time.monotonic() - started, 1)
        rows.append({"part": part.name, "ended": ended, "seconds": taken, "allowed": round(allowed, 1)})
        write_json(file, {"seconds": config.seconds, "parts": rows})
    console.table([tuple(row.values()) for row in rows], tuple(rows[0]))
    console.wrote([file])
    return rows


def _skipped(part: Part, allowed: float) -> str | None:
    """Why a part is not begun."""
    if missing := part.missing():
        return f"skipped: not installed: {', '.join(missing)}"
    return None if allowed else "skipped: the time of the call was spent"


def _ran(config: Config, part: Part, allowed: float) -> str:
    """How the process of a part ended."""
    path = Run(part.name, config, until=0).path
    path.unlink(missing_ok=True)  # of an earlier call
    process = subprocess.Popen(
        command(config, part, allowed),
        env={**os.environ, **(OF_SMOKE if config.smoke else {})},
        process_group=0,  # what it has started is stopped with it
    )
    try:
        status = process.wait(allowed)
        ended = COMPLETE if status == 0 else f"failed with status {status}"
    except subprocess.TimeoutExpired:
        ended = f"cut after {allowed:.0f} s"
    finally:
        _stop(process)
    note_end(path, ended)
    return ended


def command(config: Config, part: Part, allowed: float) -> list[str]:
    """What runs one part: the flags that it was called with, and its own."""
    seconds = max(1.0, round(allowed - MARGIN, 1))
    words = flags_of(dataclasses.replace(config, call="all", part=part.name, seconds=seconds))
    return [sys.executable, "-m", "benchmarks.on_gpu", *shlex.split(words)]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """The process and those that it has started, in order if it can be had."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


if __name__ == "__main__":
    main(benchmark, Config)
