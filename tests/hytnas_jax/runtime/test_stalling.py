"""A training of several processes that goes no further ends; one that does goes on."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hytnas_jax.runtime import process_group, stalling

TESTS = Path(__file__).parents[1]
PROGRAM = f"""
import sys, time
sys.path.insert(0, {str(TESTS)!r})
from made_up_job import Recorded
from hytnas_jax.runtime import process_group, stalling

class Told(Recorded):
    def abandon(self, status):
        print("abandoned with", status, flush=True)

process_group.become(1, int(sys.argv[1]), Told())
stalling.allow(0.5 / 60)
with stalling.watched() as going_on:
    for _ in range(10):
        going_on()
        time.sleep(0.1)
    print("a second later", flush=True)
    time.sleep(float(sys.argv[2]))
print("ended", flush=True)
"""


def job_of(processes: int, hangs: float) -> tuple[int, str, str]:
    """Status, output and errors of a process that does something each 0.1 s, and at last nothing."""
    command = [sys.executable, "-c", PROGRAM, str(processes), str(hangs)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


def test_a_process_that_hangs_ends_the_job() -> None:
    status, out, err = job_of(2, 50)
    assert (status, out) == (process_group.LOST, f"a second later\nabandoned with {process_group.LOST}\n")
    assert err == (
        "error: process 1 of 2: the training has gone no further for 0.00833333 minutes (--stall-minutes); "
        "the job ends, and the same command goes on from the last checkpoint\n"
    )


@pytest.mark.parametrize(("processes", "hangs"), [(2, 0.0), (1, 1.0)])
def test_one_that_goes_on_or_is_alone_is_left_alone(processes: int, hangs: float) -> None:
    assert job_of(processes, hangs) == (0, "a second later\nended\n", "")


def test_alone_there_is_no_thread() -> None:
    with stalling.watched() as going_on:
        going_on()
        assert "stalling" not in [thread.name for thread in threading.enumerate()]
