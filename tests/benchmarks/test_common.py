"""What `main` of the benchmarks writes: the result, and what it was made by."""

import dataclasses
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import common
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Flags of a benchmark."""

    tables: tuple[Path, ...] = ()
    data: str = "digits"
    rounds: int = 3
    name: str = "tried"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the results; the benchmark that runs is `benchmarks.search.made_up`."""
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    program = SimpleNamespace(__spec__=SimpleNamespace(name="benchmarks.search.made_up.__main__"))
    monkeypatch.setitem(sys.modules, "__main__", program)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, benchmark: Any, *flags: str, **options: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["made_up", *flags])
    with pytest.raises(SystemExit) as ended:
        common.main(benchmark, Config, **options)
    return ended.value.code  # type: ignore[return-value]


def test_a_result_says_what_it_was_made_by(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ("--tables", "/home/me/a.csv", "runs/b.csv", "--data", "/home/me/images", "--rounds", "1")
    assert run(monkeypatch, lambda config: {"rows": [config.rounds]}, *flags) == 0
    found = json.loads((results / "tried.json").read_text())
    assert found["rows"] == [1]
    module = "python -m benchmarks.search.made_up"
    assert found["command"] == f"{module} --tables a.csv runs/b.csv --data images --rounds 1"
    assert found["settings"] == {"tables": ["a.csv", "runs/b.csv"], "data": "images", "rounds": 1}
    assert {"cpu", "packages", "commit"} <= found["environment"].keys()


def test_the_name_may_depend_on_the_flags(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"result_name": lambda config: f"{config.name}_{config.rounds}"}
    assert run(monkeypatch, lambda config: {"settings": "others"}, **names) == 0
    assert json.loads((results / "tried_3.json").read_text())["settings"] == "others"


def test_nothing_found_is_nothing_written(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, lambda config: None) == 0
    assert list(results.iterdir()) == []


def test_what_cannot_be_is_a_line(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def benchmark(config: Config) -> None:
        common.require_at_least(config, {"rounds": 1})

    assert run(monkeypatch, benchmark, "--rounds", "0") == 2
    assert capsys.readouterr().err == "error: --rounds 0: must be at least 1\n"
    with pytest.raises(UserError):
        benchmark(Config(rounds=0))
