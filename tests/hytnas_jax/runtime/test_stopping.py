"""A signal ends a command with one line: between two saves, soon where it is stuck, its workers too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MESSAGE = "stopped; the same command again goes on from here\n"
COMMAND = '''
import dataclasses, hashlib, os, sys, threading, time
from pathlib import Path
from hytnas_jax.runtime import stopping
from hytnas_jax.runtime.command_line import run
from hytnas_jax.console import say
from hytnas_jax.runtime.executor import local

stopping.SAME, stopping.GRACE = 0.05, float(os.environ["GRACE"])

@dataclasses.dataclass(frozen=True)
class Config:
    """Be busy."""
    workdir: Path
    """What with."""

class Sleeping:
    def run(self, job):
        import multiprocessing
        lock = multiprocessing.get_context("spawn").Lock()  # one that an ended worker leaves behind
        (Path(os.environ["FOLDER"]) / str(job)).touch()
        time.sleep(60)

def saving():
    with stopping.uninterrupted():
        say("ready")
        time.sleep(0.5)
        say("saved")
    say("not reached")

def asking():
    with stopping.asked_for():
        with stopping.uninterrupted():
            say("ready")
            while stopping.signal_so_far() is None:
                time.sleep(0.01)
        time.sleep(0.5)
        say("saved")
        stopping.stop(stopping.signal_so_far())

def told():
    say("ready")
    stopping.stop(15)

def in_c():
    threading.Timer(0.3, lambda: say("ready")).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)

def losing_it():
    say("ready")
    try:
        time.sleep(60)
    except BaseException:
        time.sleep(60)

def failing_of_it():
    say("ready")
    try:
        time.sleep(60)
    except BaseException as error:
        raise RuntimeError("what another library makes of it") from error

def in_a_finalizer():
    class Slow:
        def __del__(self):
            say("ready")
            time.sleep(60)
    Slow()
    time.sleep(60)

def in_workers():
    list(local(2).run(Sleeping(), range(4)))

def nothing():
    """Done, and then slow to end."""
    import atexit
    atexit.register(lambda: (say("ready"), time.sleep(0.5)))

if __name__ == "__main__":
    run(lambda config: globals()[str(config.workdir)](), Config)
'''


def start(tmp_path: Path, name: str, *, grace: float = 60.0) -> subprocess.Popen[str]:
    (tmp_path / "busy.py").write_text(COMMAND)
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "busy.py"), "--workdir", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRACE": str(grace), "FOLDER": str(tmp_path)},
        start_new_session=True,
        # A shell starts its background jobs, the tests perhaps, with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def started(tmp_path: Path, name: str, *, grace: float = 60.0) -> subprocess.Popen[str]:
    process = start(tmp_path, name, grace=grace)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_save_is_not_cut(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """Nor by the thread that ends what is stuck, nor by a second signal."""
    process = started(tmp_path, "saving", grace=0.1)
    process.send_signal(number)
    time.sleep(0.2)
    process.send_signal(number)
    assert ended(process) == (status, "saved\n", MESSAGE)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_asks_for_a_signal_ends_when_it_will(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """Nothing is raised before, and the thread that ends what is stuck waits longer."""
    process = started(tmp_path, "asking", grace=0.1)
    process.send_signal(number)
    assert ended(process) == (status, "saved\n", MESSAGE)


def test_a_signal_that_another_process_has_got_ends_this_one_alike(tmp_path: Path) -> None:
    assert ended(started(tmp_path, "told")) == (143, "", MESSAGE)


@pytest.mark.parametrize("name", ["in_c", "losing_it", "in_a_finalizer"])
def test_what_is_stuck_is_ended(tmp_path: Path, name: str) -> None:
    process = started(tmp_path, name, grace=0.2)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (143, "", MESSAGE)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    process = started(tmp_path, "in_c")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "", MESSAGE)


def test_what_comes_of_a_signal_is_no_bug(tmp_path: Path) -> None:
    process = started(tmp_path, "failing_of_it")
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (143, "", MESSAGE)


def test_what_is_done_is_not_stopped(tmp_path: Path) -> None:
    process = started(tmp_path, "nothing", grace=0.1)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (0, "", "")


def is_there(group: int) -> bool:
    """Whether there is a process of that group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_ends_the_workers_quietly(tmp_path: Path, number: signal.Signals) -> None:
    """A Ctrl-C reaches all processes of a terminal, a scheduler's signal all of a job."""
    process = start(tmp_path, "in_workers")
    while not (tmp_path / "0").exists() or not (tmp_path / "1").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, number)
    assert ended(process) == (128 + number, "", MESSAGE)
    deadline = time.monotonic() + 10
    while is_there(process.pid):  # the tracker of what they share goes a moment after them
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Run by Python before all else: sends a Ctrl-C as soon as it is heard by another handler than Python's own.
EARLY = """
import os, signal, threading, time
def wait():
    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        time.sleep(0.0005)
    os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=wait, daemon=True).start()
"""


def test_before_a_command_has_begun(tmp_path: Path) -> None:
    """From the first import of ours on."""
    (tmp_path / "sitecustomize.py").write_text(EARLY)
    result = subprocess.run(
        [sys.executable, "-m", "hytnas_jax.search", "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"},
        timeout=20,
    )
    assert (result.returncode, result.stdout, result.stderr) == (130, "", MESSAGE)
