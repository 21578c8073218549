"""The study command as a user runs it: results, resuming, growing, and what it says of wrong flags."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.study_search import command as comparison
from hytnas_jax.study_search import main
from hytnas_jax.study_search.config import Config
from hytnas_jax.study_search.folder import COLUMNS, StudyFolder
from supernet.errors import UserError

from .tables import FEATURES, THREE_OBJECTIVES, TWO_OBJECTIVES, grid_text, write

TRANSLATION = Path(__file__).parents[4] / "shared" / "data" / "hpo_nmt" / "zh-en.csv"
RESULTS = ("trajectories.csv", "report.md", "summary.json", "grid.png", "all-problems.png")


def make_config(folder: Path, **changes) -> Config:
    """36 networks, 10 evaluations of which 6 are initial, 2 seeds, in this process."""
    flags = {
        "table": (write(folder / "grid.csv", grid_text()),),
        "features": (FEATURES,),
        "objectives": (TWO_OBJECTIVES,),
        "output": folder / "out",
        "evaluations": 10,
        "initial": 6,
        "seeds": 2,
        "processes": 1,
    }
    return Config(**{**flags, **changes})


def command(folder: Path, *flags: str) -> list[str]:
    table = write(folder / "grid.csv", grid_text())
    return [
        *(sys.executable, "-m", "hytnas_jax.study_search", "--table", str(table), "--features", FEATURES),
        *("--evaluations", "10", "--initial", "6", "--output", str(folder / "out"), *flags),
    ]


def trajectories(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "trajectories.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def without_seconds(folder: Path) -> list[dict[str, str]]:
    return [{**row, "seconds": ""} for row in trajectories(folder)]


@pytest.mark.parametrize("objectives", [TWO_OBJECTIVES, THREE_OBJECTIVES], ids=["two", "three"])
def test_a_study_from_the_command_line(objectives: str, tmp_path: Path) -> None:
    flags = ("--objectives", *objectives.split(","), "--surrogate", "xgboost", "--acquisition", "ucb")
    flags += ("--batch", "1", "4", "--seeds", "2", "--processes", "2", "--known-objectives", "time_ms")
    result = subprocess.run(command(tmp_path, *flags), capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    for name in RESULTS:
        assert f"wrote {tmp_path / 'out' / name}" in result.stdout
    rows = trajectories(tmp_path)
    assert tuple(rows[0]) == COLUMNS
    assert {row["strategy"] for row in rows} == {
        *("random", "nsga2"),
        *("xgboost+ucb+hvi", "xgboost+ucb+hvi/4"),
    }
    assert len(rows) == 4 * 2 * 10
    for start in range(0, len(rows), 10):
        run = rows[start : start + 10]
        ratios = [float(row["hypervolume_ratio"]) for row in run]
        assert [int(row["evaluation"]) for row in run] == list(range(1, 11))
        assert ratios == sorted(ratios)
        assert 0 <= ratios[0] <= ratios[-1] <= 1 + 1e-12
    by_seed: dict[str, set] = {}
    for row in rows:
        if int(row["evaluation"]) <= 6:
            by_seed.setdefault(f"{row['seed']} {row['evaluation']}", set()).add(row["hypervolume_ratio"])
    assert all(len(ratios) == 1 for ratios in by_seed.values())  # paired
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["environment"]["packages"]["pymoo"]
    report = (tmp_path / "out" / "report.md").read_text()
    for row in summary["problems"]["grid"]:
        assert f"| {row['strategy']} | {row['median']:.4f} |" in report
    assert "python -m hytnas_jax.study_search --table" in report


def test_a_study_that_was_cut_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    main(make_config(whole))
    add, added = StudyFolder.add, []

    def add_two(folder: StudyFolder, job, trajectory) -> None:
        if len(added) == 2:
            raise KeyboardInterrupt
        added.append(job)
        add(folder, job, trajectory)

    monkeypatch.setattr(StudyFolder, "add", add_two)
    with pytest.raises(KeyboardInterrupt):
        main(make_config(cut))
    monkeypatch.undo()
    kept = {path: path.read_bytes() for path in (cut / "out" / "runs").iterdir()}
    assert len(kept) == 2
    assert not (cut / "out" / "trajectories.csv").exists()
    main(make_config(cut))
    assert without_seconds(cut) == without_seconds(whole)
    assert {path: path.read_bytes() for path in kept} == kept


def test_a_finished_study_is_only_reported_and_may_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(make_config(tmp_path, seeds=1))
    before = trajectories(tmp_path)
    main(make_config(tmp_path, seeds=2))
    main(make_config(tmp_path, seeds=1, surrogate=("xgboost",), acquisition=("ei",), batch=(2,)))
    grown = trajectories(tmp_path)
    runs = {(row["strategy"], row["seed"]) for row in grown}
    assert runs == {
        *((name, seed) for name in ("random", "nsga2", "default") for seed in "01"),
        ("xgboost+ei+hvi/2", "0"),
    }
    assert [row for row in grown if row["seed"] == "0" and row["strategy"] in ("random", "default")] == [
        row for row in before if row["strategy"] != "nsga2"
    ]
    monkeypatch.setattr(Config, "make_executor", None)  # nothing is left to run
    (tmp_path / "out" / "report.md").unlink()
    main(make_config(tmp_path))
    assert trajectories(tmp_path) == grown
    assert (tmp_path / "out" / "report.md").exists()


def test_other_settings_and_a_changed_table_are_refused(tmp_path: Path) -> None:
    config = make_config(tmp_path, seeds=1)
    main(config)
    for change, message in (
        ({"evaluations": 12}, "evaluations: was 10, now 12"),
        ({"objectives": ("accuracy:max,memory:min",)}, "objectives: was"),
        ({"categorical": ("width",)}, "categorical: was"),
        ({"initial_design": "ours"}, "initial_design: was 'random', now 'ours'"),
    ):
        with pytest.raises(UserError, match=message):
            main(dataclasses.replace(config, **change))
    write(tmp_path / "grid.csv", grid_text().replace("mixed", "both"))
    with pytest.raises(UserError, match="table grid: its content has changed"):
        main(config)


def test_ctrl_c_ends_everything_and_loses_nothing(tmp_path: Path) -> None:
    flags = ("--objectives", TWO_OBJECTIVES, "--seeds", "2000", "--processes", "2")
    process = subprocess.Popen(
        command(tmp_path, *flags),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    runs = tmp_path / "out" / "runs"
    _wait(lambda: runs.exists() and len(list(runs.glob("*.csv"))) >= 2)
    os.killpg(process.pid, signal.SIGINT)  # a terminal tells the workers too
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "stopped; the same command again goes on from here\n"
    finished = list(runs.glob("*.csv"))
    assert len(finished) < 6000
    assert len(StudyFolder(tmp_path / "out").runs()) == len(finished)  # each of them whole
    assert all(len(run.seconds) == 10 for run in StudyFolder(tmp_path / "out").runs())


EXTREME: dict[str, Callable[[int], float]] = {
    "huge": lambda row: (row % 7) * 1e300,
    "both ends": lambda row: 1.7e308 if row % 2 else -1.7e308,
    "denormal": lambda row: (row % 7) * 5e-324,
    "all sizes": lambda row: 10.0 ** (17 * row - 300),
    "a sentinel": lambda row: 1e308 if row == 5 else row % 7,
    "all equal": lambda row: 3e307,
}


@pytest.mark.parametrize("kind", EXTREME)
def test_any_finite_objective_is_searched(kind: str, tmp_path: Path) -> None:
    """In the table's other objective are small numbers; nothing overflows, nothing is NaN."""
    lines = [f"{row // 6},{row % 6},{(row * row) % 11},{EXTREME[kind](row)!r}" for row in range(36)]
    table = write(tmp_path / "t.csv", "\n".join(["x,y,u,v", *lines]) + "\n")
    config = make_config(tmp_path, table=(table,), features=("x,y",), objectives=("u:min,v:max",), seeds=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        main(config)
    ratios = np.array([float(row["hypervolume_ratio"]) for row in trajectories(tmp_path)])
    assert ((ratios >= 0) & (ratios <= 1 + 1e-12)).all()


def test_what_leaves_nothing_to_compare_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("a sentinel", "all equal"):
        lines = [f"{row},{row % 3},k{row % 2},{row},{EXTREME[kind](row)!r}" for row in range(36)]
        table = write(tmp_path / "t.csv", "\n".join(["x,y,z,u,v", *lines]) + "\n")
        columns = {"features": ("x,y,z",), "objectives": ("u:min,v:max",)}
        comparison.make_study(make_config(tmp_path, table=(table,), categorical=("y",), **columns))
    told = capsys.readouterr()
    assert told.out.count("t: 36 rows, numbers: x; categories: y, z") == 2
    assert "t: nine of ten rows lie within 0 of the range of v; a few far off" in told.err
    assert "t: v is the same in all rows" in told.err
    assert told.err.count("warning") == 2


def test_two_tables_are_two_problems(tmp_path: Path) -> None:
    other = write(tmp_path / "other table.csv", grid_text().replace("mixed", "both"))
    config = make_config(tmp_path, seeds=1)
    main(dataclasses.replace(config, table=(*config.table, other)))
    assert {row["problem"] for row in trajectories(tmp_path)} == {"grid", "other table"}
    report = (tmp_path / "out" / "report.md").read_text()
    assert "## All problems" in report
    assert "![other table](<other table.png>)" in report
    assert (tmp_path / "out" / "other table.png").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": ()}, "--table: give at least one CSV file"),
        ({"initial": 1}, "--initial 1: must be at least 2"),
        ({"seeds": 0}, "--seeds 0: must be at least 1"),
        ({"processes": 0}, "--processes 0: must be at least 1"),
        ({"evaluations": 6}, "--evaluations 6: must be above 6 (--initial)"),
        ({"evaluations": 50, "initial": 40}, "--initial 40: grid has 36 rows; give at most as many"),
        ({"evaluations": 37}, "--evaluations 37: grid has 36 rows"),
        ({"batch": (1, 37)}, "--batch 37: grid has 36 rows"),
        ({"features": ("depth,colour",)}, "--features colour: "),
        ({"objectives": ("accuracy:max,time_ms:less",)}, "--objectives time_ms:less: must be"),
        ({"surrogate": ("forest",)}, "--surrogate forest: choose among"),
        ({"acquisition": ("ei",)}, "--acquisition ei: needs --surrogate too"),
        ({"table": (Path("none.csv"),)}, "--table none.csv: there is no such file"),
    ],
)
def test_wrong_flags_are_named_and_nothing_is_written(changes: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        main(make_config(tmp_path, **changes))
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def test_names_of_tables_that_would_collide_are_refused(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    (tmp_path / "sub").mkdir()
    twin = write(tmp_path / "sub" / "grid.csv", grid_text())
    with pytest.raises(UserError, match="--table: 2 files are called grid"):
        main(dataclasses.replace(config, table=(*config.table, twin)))
    reserved = write(tmp_path / "all-problems.csv", grid_text())
    with pytest.raises(UserError, match="--table: no file may be called all-problems"):
        main(dataclasses.replace(config, table=(reserved,)))


def test_real_translation_models(tmp_path: Path) -> None:
    if not TRANSLATION.exists():
        pytest.skip("no ../shared/data/hpo_nmt beside the repository")
    hyperparameters = "bpe_symbols,num_layers,num_embed,num_hidden,num_heads,learning_rate"
    main(
        make_config(
            tmp_path,
            table=(TRANSLATION,),
            features=(hyperparameters,),
            objectives=("dev_bleu:max,dev_gpu_time:min",),
            evaluations=24,
            initial=10,
        )
    )
    rows = trajectories(tmp_path)
    assert {row["problem"] for row in rows} == {"zh-en"}
    final = {
        name: np.mean([float(r["hypervolume_ratio"]) for r in rows if r["strategy"] == name][23::24])
        for name in ("random", "default")
    }
    assert 0.8 < final["random"] < 1
    assert final["default"] > 0.9


def _wait(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError
