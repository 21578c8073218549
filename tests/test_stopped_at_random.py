"""A training that is stopped at random moments: how it ends each time, and that it comes to the same end.

HYTNAS_JAX_STOPS is how often; the suite has time for a few.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick_environment import quick_environment
from small_space import SMALL_SPACE

STOPS = int(os.environ.get("HYTNAS_JAX_STOPS", "5"))
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hytnas_jax.train_supernet", "--workdir", str(folder / name)]
    flags = ["--space", str(folder / "space.yaml"), "--max-images", "60", "--epochs", "80"]
    return subprocess.Popen(
        [*command, *flags, "--batch-size", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=quick_environment(),
        # A shell starts its background jobs, the tests perhaps, with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def stopped(process: subprocess.Popen[str], after: float, number: signal.Signals) -> Iterator[str]:
    """What is wrong with how it ends, so many seconds after code of ours runs; it may have ended before."""
    while process.poll() is None and not hears(process.pid, signal.SIGTERM):
        time.sleep(0.005)
    try:
        process.communicate(timeout=after)
        return
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0 and not err:  # it had just ended
        return
    if process.returncode != STATUS[number]:
        yield f"status {process.returncode}"
    if err != "stopped; the same command again goes on from here\n":
        yield err


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal; without one, before any import of ours, it is killed."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # not Linux, or it has ended
        time.sleep(1.0)
        return True
    (caught,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def summary(folder: Path) -> dict[str, object]:
    return json.loads((folder / "supernet" / "done.json").read_text())["summary"]


@pytest.mark.timeout(120 + 60 * STOPS)
def test_a_training_may_be_stopped_at_any_moment(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(SMALL_SPACE)
    started = time.monotonic()
    assert start(tmp_path, "uncut").communicate()[1] == ""
    seconds = time.monotonic() - started
    rng = random.Random(os.environ.get("HYTNAS_JAX_SEED", "1"))
    for _ in range(STOPS):
        after, number = rng.uniform(0.0, seconds), rng.choice(list(STATUS))
        assert list(stopped(start(tmp_path, "cut"), after, number)) == [], (after, number)
    process = start(tmp_path, "cut")
    assert process.communicate()[1] == ""
    assert process.returncode == 0
    assert summary(tmp_path / "cut") == summary(tmp_path / "uncut")
