"""Models that agree with JAX, their cards, the script beside them, and what is refused."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from hytnas_jax.device import parity
from hytnas_jax.device.onnx_graph import build_onnx
from hytnas_jax.device.timing import Timing
from hytnas_jax.export import Config, main
from hytnas_jax.project import Project
from hytnas_jax.retrained import read_retrained
from hytnas_jax.steps import export
from supernet.errors import UserError

MakeFolder = Callable[..., Project]


def times(models: Iterable[bytes], **options: Any) -> Iterator[tuple[int, Timing]]:
    """Stands in for the timing, which takes half a second a model: the last is done first."""
    for index in reversed(range(len(list(models)))):
        yield index, Timing(0.1 * (index + 1), 0.09 * (index + 1), 0.11 * (index + 1), 10)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "time_models", times)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the comparison with JAX, which compiles each network for seconds."""
    agreement = parity.Parity(8, 1e-6, 1.0, 8, 0)
    monkeypatch.setattr(export, "check_parity", lambda *args: agreement)


def test_models_cards_and_script(
    work_folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = work_folder()
    main(Config(project.workdir.path, pictures=8))
    networks = read_retrained(project.workdir.step("retrain"))
    assert len(networks) == 3
    for index, network in enumerate(networks):
        folder = project.workdir.path / "export" / network.name
        card = json.loads((folder / "card.json").read_text())
        assert card["accuracy"]["test"] == 1 - network.test_error
        assert card["latency"]["measured_ms"] == 0.1 * (index + 1)
        assert card["latency"]["predicted_ms"] == network.estimates["latency_ms"]
        assert card["size"]["file_bytes"] == (folder / "model.onnx").stat().st_size
        assert card["labels"] == [str(digit) for digit in range(10)]
        assert card["check"]["num_pictures"] == 8
        assert card["check"]["max_difference"] <= 1e-3 * card["check"]["scale"]
    said = capsys.readouterr().out
    assert networks[0].name in said
    assert "next: python -m hytnas_jax.report" in said
    check_script(project, networks[0].name, tmp_path)


def check_script(project: Project, name: str, tmp_path: Path) -> None:
    """infer.py alone classifies a picture as the model does what `Project.prepared` makes of it."""
    pictures = project.dataset().search
    picture = tmp_path / "digit.png"
    Image.fromarray(pictures.images[0, :, :, 0]).save(picture)
    folder = project.workdir.path / "export" / name
    done = subprocess.run(
        [sys.executable, "-I", folder / "infer.py", picture], capture_output=True, text=True, check=True
    )
    printed = [line.split("  ") for line in done.stdout.splitlines()]
    images = project.prepared(pictures, json.loads((folder / "card.json").read_text())["input"]["resolution"])
    session = ort.InferenceSession(folder / "model.onnx")
    logits = session.run(None, {"images": images[:1]})[0][0]
    probabilities = np.exp(logits) / np.exp(logits).sum()
    assert [float(p) for p, _ in printed] == sorted((float(p) for p, _ in printed), reverse=True)
    assert {label: float(p) for p, label in printed} == pytest.approx(
        {str(digit): float(p) for digit, p in enumerate(probabilities)}, abs=1e-4
    )
    (tmp_path / "text.png").write_text("no picture")
    failed = subprocess.run(
        [sys.executable, "-I", folder / "infer.py", tmp_path / "text.png"], capture_output=True, text=True
    )
    assert failed.returncode == 2
    assert "cannot be read as a picture" in failed.stderr


@pytest.mark.usefixtures("unchecked")
def test_done_says_so_and_writes_nothing(work_folder: MakeFolder, capsys: pytest.CaptureFixture[str]) -> None:
    project = work_folder()
    config = Config(project.workdir.path, pictures=8)
    main(config)
    written = {path: path.stat().st_mtime_ns for path in project.workdir.path.rglob("export/*/*")}
    main(config)
    assert "is done" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in written} == written
    with pytest.raises(UserError, match="pictures: was 8, now 9"):
        main(Config(project.workdir.path, pictures=9))


@pytest.mark.usefixtures("unchecked")
def test_goes_on_where_it_was_cut(work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    project = work_folder()
    config = Config(project.workdir.path, pictures=8)
    with monkeypatch.context() as cut:
        cut.setattr(export, "write_cards", interrupt)
        with pytest.raises(KeyboardInterrupt):
            main(config)
    monkeypatch.setattr(export, "check_parity", interrupt)  # all models are there: none is checked again
    main(config)
    assert project.workdir.step("export").is_done


def interrupt(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_a_model_that_differs_is_not_written(
    work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = work_folder()
    monkeypatch.setattr(export, "build_onnx", lambda spec, params, stats: build_onnx(spec))  # other weights
    with pytest.raises(parity.ExportMismatch, match="differ by"):
        main(Config(project.workdir.path, pictures=8))
    assert not list(project.workdir.path.glob("export/*/*"))


def test_pictures_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--pictures 0"):
        main(Config(tmp_path, pictures=0))


def test_retrain_is_needed(work_folder: MakeFolder) -> None:
    project = work_folder("search")
    with pytest.raises(UserError, match=r"hytnas_jax\.retrain"):
        main(Config(project.workdir.path))


def test_damaged_architecture_is_named(work_folder: MakeFolder) -> None:
    project = work_folder()
    path = next(project.workdir.path.glob("retrain/*/architecture.json"))
    path.write_text('{"network": {}}')
    with pytest.raises(UserError, match=r"architecture\.json"):
        main(Config(project.workdir.path))


@pytest.mark.usefixtures("unchecked")
def test_another_processor_is_told(
    work_folder: MakeFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = work_folder()
    monkeypatch.setattr(export, "environment", lambda: {"cpu": "Toaster 3000"})
    main(Config(project.workdir.path, pictures=2))
    assert "this is Toaster 3000" in capsys.readouterr().err


def test_agreement_counts_ties() -> None:
    expected = np.array([[10.0, 0.0], [5.0, 5.001], [0.0, 1.0]], np.float32)
    found = np.array([[10.0, 0.005], [5.002, 5.0], [0.0, 1.0]], np.float32)
    agreement = parity.compare_logits(expected, found, name="n")
    assert agreement.max_difference == pytest.approx(0.005, rel=1e-3)
    assert (agreement.scale, agreement.num_same_class, agreement.num_tied) == (10.0, 2, 1)


@pytest.mark.parametrize("wrong", [0.011, math.nan])
def test_disagreement_is_refused(wrong: float) -> None:
    expected = np.array([[10.0, 0.0]], np.float32)
    with pytest.raises(parity.ExportMismatch, match="network n"):
        parity.compare_logits(expected, np.array([[10.0, wrong]], np.float32), name="n")
