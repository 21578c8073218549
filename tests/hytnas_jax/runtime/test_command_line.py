import dataclasses
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from hytnas_jax.runtime import process_group
from hytnas_jax.runtime.command_line import explain, run
from hytnas_jax.shared_flags.settings import flags_of, settings_of
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Do something with a work folder."""

    workdir: Path
    """Folder of the run; made if missing."""
    max_latency_ms: float = 20.0
    """Only networks that answer within this time, in milliseconds."""
    augment: bool = True
    """Shift and flip the images."""
    metric: Literal["accuracy", "loss"] = "accuracy"
    """What is improved."""


def status_of(main: Callable[[Config], None], argv: list[str] | None = None) -> int:
    with pytest.raises(SystemExit) as caught:
        run(main, Config, ["--workdir", "x"] if argv is None else argv)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def raising(error: BaseException) -> Callable[[Config], None]:
    def main(config: Config) -> None:
        raise error

    return main


def nothing(config: Config) -> None:
    """A command that succeeds."""


def test_flags_become_the_config() -> None:
    seen: list[Config] = []
    argv = ["--workdir", "runs/a", "--max-latency-ms", "5", "--no-augment", "--metric", "loss"]
    assert status_of(seen.append, argv) == 0
    assert seen == [Config(Path("runs/a"), 5.0, False, "loss")]
    assert flags_of(seen[0]).split() == [*argv[:3], "5.0", *argv[4:]]
    assert flags_of(Config(Path("my runs"))) == "--workdir 'my runs'"


def test_help_shows_every_field_with_its_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(nothing, ["--help"]) == 0
    shown = capsys.readouterr().out
    for expected in (
        "Do something with a work folder.",
        "--workdir PATH",
        "Folder of the run; made if missing. (required)",
        "--max-latency-ms FLOAT",
        "--augment, --no-augment",
        "--metric {accuracy,loss}",
        "What is improved. (default: accuracy)",
    ):
        assert expected in shown


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--workdir", "x", "--no-such-flag", "3"], "--no-such-flag"),
        (["--workdir", "x", "--max-latency-ms", "fast"], "fast"),
        (["--workdir", "x", "--metric", "speed"], "accuracy"),
        ([], "--workdir"),
    ],
)
def test_a_wrong_flag_is_a_short_message(
    capsys: pytest.CaptureFixture[str], argv: list[str], expected: str
) -> None:
    assert status_of(nothing, argv) == 2
    shown = capsys.readouterr().err
    assert expected in shown
    assert "Traceback" not in shown
    assert len(shown.splitlines()) < 15


def test_a_user_error_is_printed_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(raising(UserError("--space deit: give one of tiny, hyt"))) == 2
    assert capsys.readouterr() == ("", "error: --space deit: give one of tiny, hyt\n")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b.json"), "the disk is full: a/b.json"),
        (OSError(errno.EDQUOT, "Quota exceeded", "a/b.json"), "the disk is full: a/b.json"),
        # What Orbax raises.
        (ValueError("RESOURCE_EXHAUSTED: a/0: No space left on device"), "the disk is full: RES"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "a: Permission denied; give"),
        (OSError(errno.EROFS, "Read-only file system", "a"), "a: Read-only file system; give"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), "a/b: a file is in the way of"),
        (FileExistsError(errno.EEXIST, "File exists", "a"), "a: a file is in the way of a folder; give"),
        (UserWarning("dim\nimages"), "dim images (a warning, at which Python was told to end"),
        (MemoryError(), "not enough memory (of this computer)"),
        # What XLA raises.
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.\nmore"), "9 bytes.)"),
    ],
)
def test_what_the_user_can_put_right_is_explained(
    capsys: pytest.CaptureFixture[str], error: Exception, expected: str
) -> None:
    assert status_of(raising(error)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert expected in shown
    assert shown.count("\n") == 1


def test_our_bugs_keep_their_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(KeyError("width")) is None
    assert status_of(raising(KeyError("width"))) == 1
    shown = capsys.readouterr().err.splitlines()
    assert shown[0].startswith("Traceback")
    assert shown[-2:] == [
        "KeyError: 'width'",
        "error: this is a bug in hytnas_jax; please report it with all of these lines",
    ]


def test_a_process_of_a_job_ends_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its own status; a lost one is no bug. It waits for nobody."""
    told: list[int] = []
    monkeypatch.setattr(process_group, "size", lambda: 2)
    monkeypatch.setattr(process_group, "in_words", lambda: "process 1 of 2")
    monkeypatch.setattr(process_group, "abandon", told.append)
    monkeypatch.setattr(os, "_exit", sys.exit)
    assert status_of(raising(UserError("a: b"))) == 2
    assert status_of(raising(RuntimeError("UNKNOWN: Gloo all-reduce failed: Connection reset\nmore"))) == 75
    assert told == [2, 75]
    first, second = capsys.readouterr().err.splitlines()
    assert first == "process 1 of 2: error: a: b"
    assert second.startswith(
        "process 1 of 2: error: another process of this job was lost (UNKNOWN: Gloo all-"
    )


@dataclasses.dataclass(frozen=True)
class ConfigForMany(Config):
    """Do it in several processes."""

    hosts: int | None = None
    """How many."""
    stall_minutes: float = 30.0
    """How long."""


def test_a_command_for_one_process_is_refused_in_several(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {"JAX_COORDINATOR_ADDRESS": "a:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert status_of(raising(RuntimeError("not reached"))) == 2
    assert "this command is made for one" in capsys.readouterr().err
    for flags, status in (([], 0), (["--hosts", "2"], 0), (["--hosts", "3"], 2)):
        with pytest.raises(SystemExit) as caught:
            run(nothing, ConfigForMany, ["--workdir", "x", *flags])
        assert caught.value.code == status


def test_settings_are_the_fields_that_change_the_result() -> None:
    config = Config(Path("x"), augment=False)
    assert settings_of(config, without=["metric"]) == {"max_latency_ms": 20.0, "augment": False}


COMMAND = '''
import dataclasses, sys, time
from pathlib import Path
from hytnas_jax.runtime.command_line import run
from hytnas_jax.console import progress, say

@dataclasses.dataclass(frozen=True)
class Config:
    """Count to ∞."""
    workdir: Path
    """Folder of the run."""

def main(config: Config) -> None:
    with progress(10, "counting") as bar:
        bar.advance(3)
        say("ready")
        time.sleep(60)

assert "jax" not in sys.modules
if __name__ == "__main__":
    run(main, Config)
'''


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A command of its own, run as `python -m count_up`."""
    (tmp_path / "count_up.py").write_text(COMMAND)
    return ["env", f"PYTHONPATH={tmp_path}", sys.executable, "-m", "count_up"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_command_says_how_to_go_on(command: list[str], number: signal.Signals, status: int) -> None:
    process = subprocess.Popen(
        [*command, "--workdir", "x"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts its background jobs, the tests perhaps, with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    while process.stdout.readline() != "ready\n":
        assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert process.returncode == status
    assert out == "counting: stopped at 3 of 10 (30%), 0 s\n"
    assert err == "stopped; the same command again goes on from here\n"


def test_a_reader_that_goes_away_stops_the_command_quietly(command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([*command, "--workdir", "x"], stdout=writer, stderr=subprocess.PIPE, timeout=20)
    os.close(writer)
    assert (result.returncode, result.stderr) == (128 + signal.SIGPIPE, b"")


def test_help_calls_the_command_as_the_user_does(command: list[str]) -> None:
    result = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    assert "usage: python -m count_up" in result.stdout


def test_an_ascii_log_does_not_end_the_run(command: list[str]) -> None:
    result = subprocess.run(
        ["env", "PYTHONIOENCODING=ascii", *command, "--help"], capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "Count to ?." in result.stdout
