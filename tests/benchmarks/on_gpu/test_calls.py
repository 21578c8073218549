"""A call of `benchmarks.on_gpu`: its parts share its time, and one that fails or is cut costs no other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.on_gpu import __main__ as runner
from benchmarks.on_gpu import packages, parts
from benchmarks.on_gpu.config import Config
from benchmarks.on_gpu.parts import CALLS, PARTS, Part, allowed_seconds, parts_of
from supernet.errors import UserError

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "on_gpu.sh"
WRITES = "import json, sys, time; json.dump({'ended': 'cut', 'found': 1}, open(sys.argv[1], 'w'));"


def test_a_call_has_nine_minutes() -> None:
    """All that its parts may take, the libraries' start and what is between them."""
    assert [sum(part.seconds for part in parts_of(call)) for call in CALLS] == [520] * 3
    assert Config.seconds == 520
    assert [part for call in CALLS for part in parts_of(call)] == list(PARTS)
    assert all(callable(part.measure()) for part in PARTS if not part.missing())


def test_time_that_is_saved_goes_to_those_that_follow() -> None:
    first, second, third = (Part("rates", "2", seconds, "rates:measure") for seconds in (100, 60, 40))
    assert allowed_seconds(200, first, (second, third)) == 100
    assert allowed_seconds(180, second, (third,)) == 140  # the first has taken 20
    assert allowed_seconds(40, third, ()) == 40
    assert allowed_seconds(150, first, (second, third)) == 100  # it matters more than what follows
    assert allowed_seconds(50, second, (third,)) == 50
    assert allowed_seconds(10, third, ()) == 0  # too little to begin
    assert allowed_seconds(-5, third, ()) == 0


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Part -> the program that its process runs instead, with the part's file as its argument."""
    programs: dict[str, str] = {}
    monkeypatch.setattr(
        runner,
        "command",
        lambda config, part, allowed: [
            sys.executable,
            "-c",
            programs[part.name],
            str(config.folder / f"{part.name}.json"),
        ],
    )
    monkeypatch.setattr(runner, "GRACE", 0.2)
    return programs


def test_each_part_ends_as_it_does(made_up: dict[str, str], tmp_path: Path) -> None:
    """What was known of a part that failed or was cut is kept, and says how it ended."""
    made_up |= {
        "equality": WRITES.replace("cut", "complete"),
        "beside_pytorch": f"{WRITES} sys.exit(3)",
        "rates": f"{WRITES} time.sleep(60)",
    }
    some = (
        Part("equality", "1", 60, ""),
        Part("beside_pytorch", "1", 60, ""),
        Part("population", "1", 60, "", ("no_such_module",)),
        Part("rates", "1", 1, ""),
        Part("main_job", "1", 1000, ""),
    )
    file = tmp_path / "call_1.json"
    (tmp_path / "rates.json").write_text('{"ended": "complete", "of": "an earlier call"}')
    rows = runner.run_parts(Config(out=tmp_path, seconds=30), some[:3], file)
    expected = ["complete", "failed with status 3", "skipped: not installed: no_such_module"]
    assert [row["ended"] for row in rows] == expected
    rows = runner.run_parts(Config(out=tmp_path, seconds=1.5), some[3:], file)
    assert [row["ended"] for row in rows] == ["cut after 1 s", "skipped: the time of the call was spent"]
    ended = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("[!c]*.json")}
    assert ended == {
        "equality": {"ended": "complete", "found": 1},
        "beside_pytorch": {"ended": "failed with status 3", "found": 1},
        "rates": {"ended": "cut after 1 s", "found": 1},
    }
    assert json.loads(file.read_text())["parts"] == rows


def test_what_a_cut_part_has_started_is_stopped_too(made_up: dict[str, str], tmp_path: Path) -> None:
    """The child of a part writes its number; it is gone afterwards, or is a zombie that nobody waits for."""
    child = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); "
    made_up["rates"] = f"{child} open(sys.argv[1] + '.pid', 'w').write(str(p.pid)); time.sleep(60)"
    runner.run_parts(Config(out=tmp_path, seconds=2), [Part("rates", "1", 2, "")], tmp_path / "call_1.json")
    status = Path(f"/proc/{(tmp_path / 'rates.json.pid').read_text()}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_a_call_in_which_a_part_fails_ends_with_1(
    made_up: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls after it are made all the same."""
    made_up |= {"equality": "raise SystemExit(2)", "rates": "", "main_job": ""}
    some = [Part(name, call, 5, "") for name, call in (("equality", "1"), ("rates", "2"), ("main_job", "3"))]
    monkeypatch.setattr(parts, "PARTS", some)
    with pytest.raises(SystemExit) as ended:
        runner.benchmark(Config(out=tmp_path, seconds=5))
    assert ended.value.code == 1
    assert json.loads((tmp_path / "call_3.json").read_text())["parts"][0]["ended"] == "complete"
    with pytest.raises(UserError, match="--seconds 0: must be at least 1"):
        runner.benchmark(Config(seconds=0))


def test_a_part_gets_the_flags_of_its_call(tmp_path: Path) -> None:
    config = Config(call="1", out=tmp_path / "a b", seconds=520, smoke=True, commit="abc")
    words = runner.command(config, PARTS[0], 190)
    assert words[1:3] == ["-m", "benchmarks.on_gpu"]
    flags = " ".join(words[3:])
    assert flags == f"--part equality --out {tmp_path}/a b --seconds 185.0 --commit abc --smoke"


def test_a_part_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run: Any) -> None:
        run.report(known=1, losses={"here": [[1.0, float("nan")]]})
        raise ValueError("too wide")

    monkeypatch.setattr(Part, "measure", lambda part: fail)
    with pytest.raises(ValueError, match="too wide"):
        runner.measure(Config(out=tmp_path, smoke=True), PARTS[0])
    found = json.loads((tmp_path / f"{PARTS[0].name}.json").read_text())
    assert found["losses"] == {"here": [[1.0, None]]}
    assert (found["known"], found["error"], found["ended"]) == (1, "ValueError: too wide", "cut")


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "GROUPS", {"any part": {"json": "json"}})
    assert packages.told() == []
    groups = {"any part": {"no_tyro": "tyro"}, "images": {"no_promise": "promise", "json": "json"}}
    monkeypatch.setattr(packages, "GROUPS", groups)
    first, second, third, fourth = packages.told()
    assert first == "not installed, for any part: tyro"
    assert second == "not installed, for images: promise"
    assert third.startswith("to bring them: pip download --no-deps")
    assert third.endswith("-d wheels tyro")
    assert fourth == "and: pip wheel --no-deps -d wheels promise"


def test_the_script_runs_modules_in_order(tmp_path: Path) -> None:
    """With the wheels that lie in a folder, and with nothing else where there are none."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    wheels = tmp_path / "wheels"
    wheels.mkdir()

    def said(*words: str) -> list[str]:
        environment = {**os.environ, "PYTHON": str(python), "WHEELS": str(wheels)}
        ended = subprocess.run(
            [SCRIPT, *words], env=environment, capture_output=True, text=True, cwd=tmp_path, check=True
        )
        return ended.stdout.splitlines()

    asked = ["-m benchmarks.on_gpu.packages", "-m benchmarks.on_gpu --call 2 --out results"]
    assert said("2", "--out", "results") == asked
    (wheels / "tyro-1-py3-none-any.whl").touch()
    installs, *others = said("2", "--out", "results")
    assert installs.startswith("-m pip install --quiet --no-index --no-deps")
    assert installs.endswith("/wheels/tyro-1-py3-none-any.whl")
    assert others == asked
    refused = subprocess.run([SCRIPT], capture_output=True, text=True)
    assert "which call: 1, 2, 3, or all" in refused.stderr
    assert refused.returncode == 1
