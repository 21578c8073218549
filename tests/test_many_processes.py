"""One training by several processes, as a user starts them: the results of one device, through signals and
losses."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_space import SMALL_SPACE

# XLA compiles longer than anything runs here.
ENVIRONMENT = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
TRAIN = ("train_supernet", "--max-images", "64", "--batch-size", "8")
CLOSE = 1e-4


def start(
    folder: Path, name: str, command: tuple[str, ...], *, devices: int = 1, **variables: str
) -> subprocess.Popen[str]:
    """A command on the work folder of that name, in a process that sees so many devices."""
    word, *flags = command
    if word == "train_supernet":
        flags += ["--space", str(folder / "space.yaml")]
    flag = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-m", f"hytnas_jax.{word}", "--workdir", str(folder / name), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} {flag}", **variables},
    )


def start_two(folder: Path, names: tuple[str, str], command: tuple[str, ...]) -> list[subprocess.Popen[str]]:
    """The command in both processes of a job, each of which sees two devices."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        job = {
            "JAX_COORDINATOR_ADDRESS": f"localhost:{free.getsockname()[1]}",
            "JAX_NUM_PROCESSES": "2",
        }
    return [
        start(folder, name, command, devices=2, **job, JAX_PROCESS_ID=str(number))
        for number, name in enumerate(names)
    ]


def ended(process: subprocess.Popen[str], *, timeout: float = 200) -> tuple[int, str, str]:
    """Status, what it says, and its errors; without what the library that connects processes prints."""
    out, err = process.communicate(timeout=timeout)
    lines = [line for line in out.splitlines() if not line.startswith("[Gloo]")]
    return process.returncode, "\n".join(lines), err


def lines_of(folder: Path) -> list[dict[str, float]]:
    path = folder / "supernet" / "metrics.jsonl"
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []  # whole ones
    return [json.loads(line) for line in lines]


def wait_for_steps(folder: Path, count: int, processes: list[subprocess.Popen[str]]) -> None:
    while len(lines_of(folder)) < count:
        assert [process.poll() for process in processes] == [None, None]
        time.sleep(0.02)


def assert_same_training(folder: Path, other: Path) -> None:
    """The same steps, their metrics, and what came of them."""
    ours, theirs = lines_of(folder), lines_of(other)
    assert [line["step"] for line in ours] == [line["step"] for line in theirs] == list(range(len(theirs)))
    for mine, other_line in zip(ours, theirs, strict=True):
        assert mine == pytest.approx(other_line, abs=CLOSE)
    summaries = [json.loads((f / "supernet" / "done.json").read_text())["summary"] for f in (folder, other)]
    for name in ("largest_accuracy", "smallest_accuracy", "random_accuracies"):
        assert summaries[0][name] == pytest.approx(summaries[1][name])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(SMALL_SPACE)
    return tmp_path


def test_a_training_of_two_processes_survives_what_happens_to_them(folder: Path) -> None:
    """One is killed, and the other ends; the same command goes on. One is told to stop, and both save and
    stop. Eight devices of one process end what they have begun as one device does, which holds its images:
    here they are streamed."""
    command = (*TRAIN, "--epochs", "12")  # 96 steps
    alone = start(folder, "alone", command)
    command = (*command, "--stream", "always")
    both = start_two(folder, ("many", "many"), command)
    assert ended(alone)[0] == 0
    wait_for_steps(folder / "many", 20, both)
    both[1].send_signal(signal.SIGKILL)
    status, _, err = ended(both[0], timeout=45)
    assert status not in (0, 1), err
    both[1].communicate()

    both = start_two(folder, ("many", "many"), (*command, "--hosts", "2"))
    while lines_of(folder / "many"):  # none of them is in a checkpoint
        assert both[0].poll() is None
        time.sleep(0.02)
    wait_for_steps(folder / "many", 20, both)
    both[1].send_signal(signal.SIGTERM)
    (status, said, err), other = map(ended, both)
    assert (status, err) == (143, "stopped; the same command again goes on from here\n")
    assert "training the supernet: stopped at" in said
    assert other == (143, "", "")  # it does not talk
    reached = len(lines_of(folder / "many"))
    steps = sorted(int(path.name) for path in (folder / "many" / "supernet" / "checkpoints").iterdir())
    assert steps == [0, reached]  # it was saved where it was stopped
    assert f"process {both[0].pid} on" in (folder / "many" / ".lock").read_text()
    assert len(list((folder / "many" / "supernet").glob("events.*"))) <= 2  # one for each start

    status, said, _ = ended(start(folder, "many", command, devices=8))
    assert (status, f"training the supernet: {reached} of 96" in said) == (0, True)
    assert_same_training(folder / "many", folder / "alone")


def test_processes_that_do_not_see_one_folder_end_together(folder: Path) -> None:
    both = start_two(folder, ("one", "another"), (*TRAIN, "--epochs", "1"))
    (status, _, err), (other, _, reason) = map(ended, both)
    assert (status, other) == (2, 2)
    assert "another: process 1 of 2 does not see there what process 0 writes" in reason
    assert err == "process 0 of 2: ended, as process 1 has ended with status 2\n"
    assert not (folder / "another").exists()


def test_a_wrong_number_of_processes_or_devices_is_refused(folder: Path) -> None:
    """Before anything is written."""
    job = {"JAX_COORDINATOR_ADDRESS": "localhost:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "0"}
    started = [
        start(folder, "none", (*TRAIN, "--hosts", "2")),
        start(folder, "none", TRAIN, devices=3),
        start(folder, "none", ("search",), **job),
        start(folder, "none", ("main_job",), **job),
    ]
    wanted = (
        "error: --hosts 2: one process was found",
        "error: --batch-size 8: cannot be split evenly over 3 devices; give 6 or 9",
        "error: 2 processes of one job were found (by JAX_COORDINATOR_ADDRESS",
        "error: 2 processes of one job were found (by JAX_COORDINATOR_ADDRESS",
    )
    for process, message in zip(started, wanted, strict=True):
        status, _, err = ended(process)
        assert status == 2
        assert err.startswith(message)
    assert not (folder / "none").exists()
