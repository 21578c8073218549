"""What a part of `benchmarks.on_gpu` has found so far, in a file that is whole at any time."""

import dataclasses
import functools
import math
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.common import made_by, without_folders
from benchmarks.on_gpu.config import Config
from benchmarks.on_gpu.parts import PartName
from benchmarks.on_gpu.sizes import Sizes
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.runtime.environment import environment, package_version

COMPLETE, RUNNING = "complete", "cut"  # of a file that nobody has written any more
PACKAGES = ("torch", "triton", "xgboost-cpu", "jax-cuda12-plugin", "jax-cuda13-plugin")
ASKED = "name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit"


@dataclasses.dataclass
class Run:
    """A part that is measured: what it is given, until when (`time.monotonic`), and what it has found."""

    part: PartName
    config: Config
    until: float
    _found: dict[str, Any] = dataclasses.field(default_factory=dict)
    _writing: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @property
    def sizes(self) -> Sizes:
        return self.config.sizes

    @property
    def path(self) -> Path:
        return self.config.folder / f"{self.part}.json"

    def left(self) -> float:
        """Seconds that it may still take."""
        return self.until - time.monotonic()

    def report(self, **found: Any) -> None:
        """Add to the file. To be called once the device is chosen: the file names it."""
        with self._writing:
            self._found |= {name: without_nan(value) for name, value in found.items()}
            self._write(RUNNING)

    def close(self, ended: str = COMPLETE) -> None:
        """Note how it ended."""
        with self._writing:
            self._write(ended)

    def _write(self, ended: str) -> None:
        write_json(self.path, {"ended": ended, **self._head, **self._found})

    @functools.cached_property
    def _head(self) -> Mapping[str, Any]:
        """What it was made by, and on what machine."""
        made_with = environment()
        return {
            **made_by(self.config),
            "sizes": {name: without_folders(value) for name, value in dataclasses.asdict(self.sizes).items()},
            "environment": {
                **made_with,
                "packages": {**made_with["packages"], **{name: package_version(name) for name in PACKAGES}},
                "commit": self.config.commit or made_with["commit"],
                "gpu": nvidia_smi(),
            },
        }


def without_nan(value: Any) -> Any:
    """None for each number that is not finite, which JSON does not have: a GPU may well compute one."""
    if isinstance(value, Mapping):
        return {name: without_nan(of) for name, of in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(of) for of in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def note_end(path: Path, ended: str) -> None:
    """Write into a part's file how its process ended, unless it has come to its end or there is none."""
    if path.exists():
        found = read_json(path)
        if found["ended"] != COMPLETE:
            write_json(path, {**found, "ended": ended})


def nvidia_smi() -> list[dict[str, str]]:
    """What the driver says of each GPU; nothing where there is no driver."""
    command = ["nvidia-smi", f"--query-gpu={ASKED}", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split(", ") for line in told.stdout.splitlines()]
    return [dict(zip(ASKED.split(","), row, strict=False)) for row in rows]
