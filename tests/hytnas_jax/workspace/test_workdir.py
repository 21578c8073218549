import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.workspace.workdir import FORMAT, Workdir, command_line
from supernet.errors import UserError

HOLD = """
import sys, time
from hytnas_jax.workspace.workdir import Workdir
Workdir(sys.argv[1])
print("locked", flush=True)
time.sleep(60)
"""


def test_it_is_made_and_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "digits"
    first = Workdir(path)
    assert read_json(path / "workdir.json")["format"] == FORMAT
    assert Workdir(path).step("search") == first.step("search")
    assert first.step("search").folder == path / "search"


@pytest.mark.parametrize("below", ["", "runs"])
def test_a_file_in_the_way_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="a file is in the way; give the path of a folder"):
        Workdir(tmp_path / "file" / below)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir(mode=0o555)
    with pytest.raises(UserError, match="may not be written"):
        Workdir(tmp_path / "runs")


def test_a_read_only_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, *arguments: object) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UserError, match=r"may not be written \(Read-only file system\)"):
        Workdir(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "workdir.json", {"format": 99, "hytnas_jax": "7.0"})
    with pytest.raises(UserError, match=r"hytnas_jax 7\.0 wrote it in format 99.*another --workdir"):
        Workdir(tmp_path)
    write_json(tmp_path / "workdir.json", {"format": 2, "hytnas_jax": "0.1.0"})
    with pytest.raises(UserError, match=r"in format 2.*format 4 \(in which .* have other names"):
        Workdir(tmp_path)


def test_two_processes_are_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(UserError, match=f"another process is using it .process {holder.pid}"):
        Workdir(tmp_path)
    holder.kill()
    assert holder.wait() == -signal.SIGKILL
    holder.stdout.close()
    Workdir(tmp_path)
    second = subprocess.run([sys.executable, "-c", HOLD, str(tmp_path)], capture_output=True, text=True)
    assert f"process {os.getpid()}" in second.stderr


def test_a_step_is_begun_finished_and_required(tmp_path: Path) -> None:
    supernet = Workdir(tmp_path).step("supernet")
    supernet.begin({"epochs": 3, "space": {"widths": (8, 16)}})
    assert not supernet.is_done
    assert read_json(supernet.folder / "settings.json") == {
        "settings": {"epochs": 3, "space": {"widths": [8, 16]}},
        "inputs": {},
    }
    supernet.finish({"accuracy": 0.9})
    assert supernet.is_done
    done = supernet.require("train_supernet")
    assert done == supernet.done()
    assert done["summary"] == {"accuracy": 0.9}
    assert done["environment"]["packages"]["jax"]
    supernet.begin({"epochs": 3, "space": {"widths": (8, 16)}})
    assert supernet.done() == done


def test_a_missing_step_says_which_command_makes_it(tmp_path: Path) -> None:
    supernet = Workdir(tmp_path / "my run").step("supernet")
    remedy = "run: python -m hytnas_jax.train_supernet --workdir '.*my run'"
    with pytest.raises(UserError, match=f"has not been made in .*{remedy}"):
        supernet.require("train_supernet")
    supernet.begin({})
    with pytest.raises(UserError, match=f"was started and has not ended in .*{remedy}"):
        supernet.require("train_supernet")


def test_each_changed_setting_is_shown(tmp_path: Path) -> None:
    step = Workdir(tmp_path).step("search")
    step.begin({"seed": 0, "space": {"name": "tiny", "depths": (1, 2)}, "old": True})
    with pytest.raises(UserError) as caught:
        step.begin({"seed": 1, "space": {"name": "tiny", "depths": (1, 3)}, "new": "x"})
    assert str(caught.value).splitlines() == [
        f"step 'search' in {tmp_path} was begun with other settings:",
        "  new: was not set, now 'x'",
        "  old: was True, now not set",
        "  seed: was 0, now 1",
        "  space.depths: was [1, 2], now [1, 3]",
        f"give the same settings to go on, or another --workdir, "
        f"or delete {step.folder} to begin the step anew",
    ]


def test_results_of_another_supernet_are_refused(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    supernet, search = workdir.step("supernet"), workdir.step("search")
    for again in (False, True):
        supernet.begin({})
        supernet.finish({})
        inputs = {"supernet": supernet.done()["id"]}
        if not again:
            search.begin({}, inputs)
            search.begin({}, inputs)
            continue
        with pytest.raises(
            UserError, match=f"from 'supernet', which has changed since.*Delete {search.folder}"
        ):
            search.begin({}, inputs)


def test_seconds_sum_over_sessions(tmp_path: Path) -> None:
    step = Workdir(tmp_path).step("supernet")
    step.begin({})
    now = time.time()
    # A first session of 100 s, cut by a kill; what it wrote last is 40 s old by now.
    write_json(step.folder / "session.json", {"before": 7.0, "started": now - 140})
    (step.folder / "metrics.jsonl").touch()
    for file in step.folder.iterdir():
        os.utime(file, (now - 40, now - 40))
    step.begin({})
    step.finish({})
    assert step.done()["seconds"] == pytest.approx(107, abs=2)


def test_seconds_of_a_step_that_ends_again_are_without_the_pause(tmp_path: Path) -> None:
    step = Workdir(tmp_path).step("efficiency")
    step.begin({})
    step.finish({})
    now = time.time()
    # A session of 100 s that ended an hour ago.
    write_json(step.folder / "session.json", {"before": 0.0, "started": now - 3700})
    for file in step.folder.iterdir():
        os.utime(file, (now - 3600, now - 3600))
    step.begin({})
    step.finish({})
    assert step.done()["seconds"] == pytest.approx(100, abs=2)


def test_a_setting_that_may_grow_takes_the_done_mark_away(tmp_path: Path) -> None:
    step = Workdir(tmp_path).step("search")
    grows = ("evaluations", "baseline")

    def begin(evaluations: int, baseline: bool, seed: int = 0) -> None:
        settings = {"evaluations": evaluations, "baseline": baseline, "seed": seed}
        step.begin(settings, may_grow=grows)

    begin(80, False)
    step.finish({})
    begin(80, False)
    assert step.is_done
    with pytest.raises(UserError, match="seed: was 0, now 1"):
        begin(90, False, seed=1)
    with pytest.raises(UserError, match="evaluations: was 80, now 79"):
        begin(79, True)
    assert step.is_done
    begin(90, True)
    assert not step.is_done
    assert read_json(step.folder / "settings.json")["settings"]["evaluations"] == 90
    with pytest.raises(UserError, match="baseline: was True, now False"):
        begin(90, False)


@pytest.mark.parametrize("name", ["x" * 300, "loop"])
def test_a_path_that_the_system_does_not_take_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UserError, match=r"--workdir .*; give another|a file is in the way"):
        Workdir(tmp_path / name / "work")


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "lockf", no_locks)
    with pytest.raises(UserError, match=r"cannot be used \(No locks available\); give another folder"):
        Workdir(tmp_path)


def test_a_full_disk_is_left_to_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="No space left"):
        Workdir(tmp_path / "work")


def test_the_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell leaves it as it is in quotes and behind `--workdir=`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Workdir(Path("~/runs")).path == tmp_path / "runs"
    assert Workdir(Path("~no such user/runs")).path == Path("~no such user/runs")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "~no such user"]


@pytest.mark.parametrize("name", ["-runs", "exp [1]", "a 'b'", "line\nbreak", "~"])
def test_a_command_line_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever the folder is called, the shell gives it back."""
    flag = command_line("search", Path(name)).partition("--workdir ")[2]
    shown = subprocess.run(["sh", "-c", f"printf %s {flag}"], capture_output=True, text=True, cwd=tmp_path)
    assert Path(shown.stdout) == Path(name)
    assert not shown.stdout.startswith("-")
