"""Memory and pace of training on 1,000 to 100,000 images, held and streamed.

    python -m benchmarks.supernet.streaming

Folders of made-up JPEG files are written to --folder, which may be deleted afterwards. On each of them a work
folder is begun, a small network of `hybrid` is trained for some steps, and the images are opened again as a
later command does: each way in processes of its own, one after the other. The validation split has 200 images
throughout, so that the number of images is all that differs.

Memory is the most anonymous memory of a phase, looked at 50 times a second (Linux): libraries and compiled
programs are in it, file pages are not. A pace is of all steps but the first ten.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import main, require_at_least, show
from benchmarks.supernet.streaming import process
from benchmarks.supernet.streaming.pictures import save_pictures
from hytnas_jax import console

WAYS = ("never", "always")  # as --stream has it
PHASES = ("first", "later")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure memory and pace of held and streamed images."""

    counts: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Images of the folders."""
    side: int = 64
    """Of the images, in pixels."""
    steps: int = 110
    """Training steps, of 32 images each."""
    folder: Path | None = None
    """Where the images are written, and found again. If not given: a temporary folder."""
    name: str = "streaming"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print the table."""
    require_at_least(config, {"side": 32, "steps": process.WARM + 1})
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = config.folder or Path(temporary)
        for count in config.counts:
            images = folder / f"{config.side}-{count}"
            console.say(f"{count} images: {images}")
            save_pictures(images, count, config.side)
            if not rows:  # so that none of those that are measured compiles
                measure(images, WAYS[0], config)
            for way in WAYS:
                rows.append({"images": count, "--stream": way, **measure(images, way, config)})
                console.say(json.dumps(rows[-1]))
    show(rows)
    return {"batch": process.BATCH, "rows": rows, "load": os.getloadavg()}


def measure(images: Path, way: str, config: Config) -> dict[str, float]:
    """Of a work folder of its own."""
    with tempfile.TemporaryDirectory() as work:
        first, later = (in_a_process(phase, images, Path(work), way, config) for phase in PHASES)
    return {**first, **later}


def in_a_process(phase: str, images: Path, work: Path, way: str, config: Config) -> dict[str, float]:
    """What `process` measures of a phase."""
    command = [sys.executable, "-m", process.__name__, phase, str(images), str(work / "work"), way]
    command += [str(config.side), str(config.steps)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr}")
    measured: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    main(benchmark, Config)
