"""The efficiency study through its command: measured here, on another device by its kit, and reported."""

import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_times import PLAN, write_table

from hytnas_jax import device_kit, study_efficiency
from hytnas_jax.files.atomic import write_text
from hytnas_jax.study_efficiency import plan as plan_module
from hytnas_jax.study_efficiency.subjects import Subject
from hytnas_jax.workspace.space_file import load_space
from supernet.errors import UserError

SPACE = """from one_stage_space import SPACE as space
"""


@pytest.fixture
def config(tmp_path: Path) -> study_efficiency.Config:
    """Of `PLAN`, whose space a file declares; measures nothing here."""
    write_text(tmp_path / "space.py", SPACE)
    assert load_space(str(tmp_path / "space.py")) == PLAN.space
    return study_efficiency.Config(
        tmp_path / "work", space=str(tmp_path / "space.py"), resolution=32, networks=12, runtimes=()
    )


def test_a_whole_study(config: study_efficiency.Config, tmp_path: Path) -> None:
    write_table(tmp_path / "toaster.csv", PLAN.subjects())
    study_efficiency.main(dataclasses.replace(config, measurements=(tmp_path / "toaster.csv",)))
    folder = config.workdir / "efficiency"
    found = json.loads((folder / "efficiency.json").read_text())
    assert found["devices"]["toaster"]["runtime"] == "onnxruntime 1"
    quantities = found["space"]["quantities"]
    assert quantities == ["latency@toaster", "MACs", "peak memory", "file size"]
    shares = dict(zip(found["space"]["families"]["names"], found["space"]["families"]["total"], strict=True))
    # A millisecond a million MACs: what moves one moves the other, up to the predictor's error.
    for name, (latency, macs, *_) in shares.items():
        assert latency == pytest.approx(macs, abs=0.15), name
    report = (folder / "efficiency.md").read_text()
    for figure in ("networks", "operations", "attention", "space"):
        assert f"]({figure}.png)" in report
        assert (folder / f"{figure}.png").stat().st_size > 10_000
    with (folder / "operations.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 140
    assert (folder / "predictors" / "toaster.json").exists()
    # Other settings than the study's are refused; flags that are not given are the study's.
    with pytest.raises(UserError, match="resolution: was 32, now 48"):
        study_efficiency.main(dataclasses.replace(config, resolution=48))
    study_efficiency.main(study_efficiency.Config(config.workdir, runtimes=()))


def test_measured_here_and_gone_on_with(config: study_efficiency.Config) -> None:
    here = dataclasses.replace(config, runtimes=("onnxruntime",), parts=("space",), seconds=0.01)
    study_efficiency.main(here)
    folder = config.workdir / "efficiency"
    table = folder / "devices" / "here-onnxruntime.csv"
    lines = table.read_text().splitlines(keepends=True)
    assert len(lines) == 1 + 12
    table.write_text("".join(lines[:-2]))
    study_efficiency.main(here)
    again = table.read_text().splitlines(keepends=True)
    assert again[:-2] == lines[:-2]
    assert len(again) == len(lines)
    assert "None has been measured" in (folder / "efficiency.md").read_text()


def test_a_kit_of_the_study(
    config: study_efficiency.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its models are those of the study; here two of them, for the time that they take."""
    few = [s for s in PLAN.subjects() if s.name in ("hyt-nas-bl", "conv1x1-8-16")]
    monkeypatch.setattr(plan_module.Plan, "subjects", lambda self: few)
    kit = tmp_path / "kit"
    with pytest.raises(UserError, match="'efficiency' is needed first"):
        device_kit.main(device_kit.Config(config.workdir, kit, study=True))
    study_efficiency.main(config)
    device_kit.main(device_kit.Config(config.workdir, kit, study=True))
    command = [sys.executable, "-I", kit / "measure.py", "--seconds", "0.01", "--device", "pi"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=kit)
    assert done.returncode == 0, done.stderr
    assert "hytnas_jax.study_efficiency --workdir" in done.stdout
    assert "--measurements pi.csv" in done.stdout
    with (kit / "pi.csv").open() as file:
        assert [row["model"] for row in csv.DictReader(file)] == ["hyt-nas-bl", "conv1x1-8-16"]
    names = {"pi.csv": "pi", "here.csv": "here-pi"}
    text = (kit / "pi.csv").read_text()
    for file, name in names.items():
        (tmp_path / file).write_text(text.replace(",pi,", f",{name},"))
    with pytest.raises(UserError, match="is called as this machine's are"):
        study_efficiency.main(dataclasses.replace(config, measurements=(tmp_path / "here.csv",)))
    monkeypatch.undo()
    study_efficiency.main(dataclasses.replace(config, measurements=(tmp_path / "pi.csv",)))
    networks = json.loads((config.workdir / "efficiency" / "efficiency.json").read_text())["networks"]
    assert [row["name"] for row in networks if row["latency_ms@pi"]] == ["hyt-nas-bl"]


def test_numbers_that_cannot_be(config: study_efficiency.Config) -> None:
    with pytest.raises(UserError, match="--resolution 0: must be at least 1"):
        study_efficiency.main(dataclasses.replace(config, resolution=0))
    with pytest.raises(UserError, match="--seconds 0: must be over 0"):
        study_efficiency.main(dataclasses.replace(config, seconds=0))


def test_tables_of_several_devices(config: study_efficiency.Config, tmp_path: Path) -> None:
    """A name is of one device, in capitals or not; of an old table nothing is left beside the new one."""
    drawn = [subject for subject in PLAN.subjects() if subject.part == "space"]
    folder = config.workdir / "efficiency"

    def add(**tables: tuple[list[Subject], dict[str, str]]) -> None:
        for name, (subjects, about) in tables.items():
            write_table(tmp_path / f"{name}.csv", subjects, **about)
        paths = tuple(tmp_path / f"{name}.csv" for name in tables)
        study_efficiency.main(dataclasses.replace(config, measurements=paths))

    def files(kind: str) -> list[str]:
        return sorted(path.stem for path in (folder / kind).glob("*"))

    with pytest.raises(UserError, match=r"b\.csv: is of device 'toaster' .*a\.csv of 'toaster'"):
        add(a=(drawn, {}), b=(drawn, {}))
    assert files("devices") == []  # none of both
    add(a=(drawn, {}), b=(drawn, {"device": "board"}))
    assert files("devices") == files("predictors") == ["board", "toaster"]
    with pytest.raises(UserError, match=r"of device 'Board' .*of 'board' .*with another --device"):
        add(c=(drawn, {"device": "Board"}))
    with pytest.raises(UserError, match=r"onnxruntime 2.*onnxruntime 1"):
        add(c=(drawn, {"runtime": "onnxruntime 2"}))
    operation = [subject for subject in PLAN.subjects() if subject.part == "operations"][:1]
    add(c=(operation, {}))  # a device that has measured a part only
    assert files("predictors") == ["board"]
    assert (folder / "operations.png").exists()
    (folder / "devices" / "toaster.csv").unlink()
    study_efficiency.main(config)
    assert not (folder / "operations.png").exists()
    (folder / "devices" / "board.csv").unlink()
    study_efficiency.main(config)
    assert files("predictors") == []


def test_a_study_without_networks_of_the_space(
    config: study_efficiency.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    none = dataclasses.replace(config, networks=0, runtimes=("onnxruntime",), parts=("space",), seconds=0.01)
    study_efficiency.main(none)
    assert "nothing has been measured yet" in capsys.readouterr().out


def test_spaces_that_cannot_be_studied(config: study_efficiency.Config, tmp_path: Path) -> None:
    """They leave nothing behind by which the command with another one would be refused."""
    for text, message in (
        ("stages: [{stride: 1, width: [4]}]", "--space x: is one network"),
        ("stages: [{stride: 1, width: [4, 8]}]\nconstraints: [stage1.width < 4]", "nothing meets it"),
    ):
        write_text(tmp_path / "x.yaml", f"name: x\n{text}\n")
        with pytest.raises(UserError, match=message):
            study_efficiency.main(dataclasses.replace(config, space=str(tmp_path / "x.yaml")))
    study_efficiency.main(config)
