"""Models that agree with JAX, their cards, the script beside them, and what is refused."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnxruntime as ort
import pytest
from exported_script import script_accuracy
from PIL import Image

from hytnas_jax.data.decode import ImageRule
from hytnas_jax.export import command, main
from hytnas_jax.export.config import Config
from hytnas_jax.files.atomic import write_json
from hytnas_jax.model_files import parity
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.model_files.registry import FORMATS
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.shared_flags import format_names
from hytnas_jax.shared_flags.format_names import FormatName
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError

MakeFolder = Callable[..., Project]


def times(models: Iterable[bytes], **options: Any) -> Iterator[tuple[int, Timing]]:
    """Stands in for the timing, which takes half a second a model: the last is done first."""
    for index in reversed(range(len(list(models)))):
        yield index, Timing(0.1 * (index + 1), 0.09 * (index + 1), 0.11 * (index + 1), 10)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "time_models", times)


def test_models_cards_and_script(
    work_folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = work_folder()
    path = read_retrained(project.workdir.step("retrain"))[0].folder / "result.json"
    before = [{"workdir": "runs/a", "supernet": "1f", "data": "tfds:x", "images": 9, "commit": None}]
    write_json(path, {**json.loads(path.read_text()), "begun_with": before})
    main(Config(project.workdir.path, images=8))
    networks = read_retrained(project.workdir.step("retrain"))
    assert len(networks) == 3
    for index, network in enumerate(networks):
        folder = project.workdir.path / "export" / network.name
        card = json.loads((folder / "card.json").read_text())
        assert card["quality"]["test"] == 1 - network.test_error
        assert card["latency"]["measured_ms"] == 0.1 * (2 * index + 1)  # of two files each
        assert "decoding_ms" not in card["latency"]
        assert card["latency"]["predicted_ms"] == network.estimates["latency_ms"]
        assert card["size"]["file_bytes"] == (folder / "model.onnx").stat().st_size
        assert card["labels"] == [str(digit) for digit in range(10)]
        assert card["input"]["image"] == dataclasses.asdict(ImageRule(8, 1))
        crop = "a random square of 0.75 to 1 times the side"
        assert (card["data"]["source"], card["data"]["begun_with"]) == ("digits", [] if index else before)
        assert ("and, before, of data.begun_with" in card["data"]["licence"]) == (index == 0)
        assert card["training"] == {"mirror": "off", "crop": crop}
        assert card["files"]["model.onnx"]["num_images"] == 8
        check_file(folder, card["files"]["model.onnx"], "model.onnx", tolerance=1e-3)
        check_file(folder, card["files"]["model.int8.onnx"], "model.int8.onnx", tolerance=1.0)
    said = capsys.readouterr().out
    assert networks[0].name in said
    assert "next: python -m hytnas_jax.report" in said
    check_script(project, networks[0].name, tmp_path)


def check_file(folder: Path, found: dict[str, Any], file: str, *, tolerance: float) -> None:
    """What the card says of a file stands beside it too, and is near the network."""
    assert 0 < found["max_difference"] <= tolerance * found["scale"]
    assert found["bytes"] == (folder / file).stat().st_size
    beside = json.loads((folder / f"{file}.check.json").read_text())
    assert beside == {key: value for key, value in found.items() if key != "latency"}


@pytest.mark.usefixtures("unchecked")
def test_every_format(work_folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("litert_quantizer", reason="hytnas_jax[tflite] is not installed")
    project = work_folder()
    main(Config(project.workdir.path, formats=get_args(FormatName), images=32, calibration=4))
    for network in read_retrained(project.workdir.step("retrain")):
        folder = project.workdir.path / "export" / network.name
        card = json.loads((folder / "card.json").read_text())
        assert list(card["files"]) == [
            "model.onnx", "model.int8.onnx", "model.tflite", "model.int8.tflite", "model.stablehlo"
        ]  # fmt: skip
        assert card["files"]["model.stablehlo"]["latency"] is None
        assert card["files"]["model.int8.tflite"]["latency"]["latency_ms"] > 0
        size = card["size"]
        peaks = {file: found.get("peak_activation_bytes") for file, found in card["files"].items()}
        assert peaks["model.onnx"] is None
        assert peaks["model.tflite"] == size["peak_activation_bytes"]
        assert peaks["model.int8.tflite"] == size["peak_activation_bytes_int8"]
        assert card["files"]["model.int8.tflite"]["bytes"] == pytest.approx(
            size["model_bytes_int8"], rel=0.01
        )
        for file in ("model.tflite", "model.stablehlo"):
            assert card["files"][file]["max_difference"] <= 1e-3 * card["files"][file]["scale"]
    # The last network's script, on all images that its files were evaluated by, from files of images.
    search = command._spread(project.dataset().validation, 32)
    for file in ("model.onnx", "model.int8.onnx", "model.tflite", "model.int8.tflite"):
        accuracy = script_accuracy(folder, file, search.images, search.labels, scratch=tmp_path)
        assert accuracy == card["files"][file]["quality"], file
    fits = "model.int8.tflite fits 256 kB of memory and 1 MB of flash"
    assert f"{network.name}: {fits}" in capsys.readouterr().out


@pytest.mark.usefixtures("unchecked")
def test_lost_accuracy_is_explained(
    work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ACCEPTED_LOSS", -1.0)  # whatever it is
    project = work_folder()
    main(Config(project.workdir.path, images=8, calibration=4))
    name = read_retrained(project.workdir.step("retrain"))[0].name
    check = json.loads((project.workdir.path / "export" / name / "model.int8.onnx.check.json").read_text())
    assert len(check["costly_blocks"]) == 3
    assert "keep one of these blocks in floats" in capsys.readouterr().err


@pytest.mark.parametrize("formats", [("onnx-int8",), ("onnx", "onnx")])
def test_formats_that_are_refused(tmp_path: Path, formats: tuple[FormatName, ...]) -> None:
    with pytest.raises(UserError, match="onnx among them"):
        main(Config(tmp_path, formats=formats))


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(format_names.TFLITE_PACKAGES, "tflite", ("no_such_package",))
    with pytest.raises(UserError, match=r"pip install 'hytnas_jax\[tflite\]'"):
        main(Config(tmp_path, formats=("onnx", "tflite")))


def check_script(project: Project, name: str, tmp_path: Path) -> None:
    """infer.py alone classifies an image as the model does what `Project.prepared` makes of it."""
    images = project.dataset().validation
    image = tmp_path / "digit.png"
    Image.fromarray(images.images[0, :, :, 0]).save(image)
    folder = project.workdir.path / "export" / name
    done = subprocess.run(
        [sys.executable, "-I", folder / "infer.py", image], capture_output=True, text=True, check=True
    )
    printed = [line.split("  ") for line in done.stdout.splitlines()]
    images = project.prepared(images, json.loads((folder / "card.json").read_text())["input"]["resolution"])
    session = ort.InferenceSession(folder / "model.onnx")
    logits = session.run(None, {"images": images[:1]})[0][0]
    probabilities = np.exp(logits) / np.exp(logits).sum()
    assert [float(p) for p, _ in printed] == sorted((float(p) for p, _ in printed), reverse=True)
    assert {label: float(p) for p, label in printed} == pytest.approx(
        {str(digit): float(p) for digit, p in enumerate(probabilities)}, abs=1e-4
    )
    (tmp_path / "text.png").write_text("no image")
    failed = subprocess.run(
        [sys.executable, "-I", folder / "infer.py", tmp_path / "text.png"], capture_output=True, text=True
    )
    assert failed.returncode == 2
    assert "cannot be read as an image" in failed.stderr


@pytest.mark.usefixtures("unchecked")
def test_done_says_so_and_writes_nothing(work_folder: MakeFolder, capsys: pytest.CaptureFixture[str]) -> None:
    project = work_folder()
    config = Config(project.workdir.path, images=8)
    main(config)
    written = {path: path.stat().st_mtime_ns for path in project.workdir.path.rglob("export/*/*")}
    main(config)
    assert "is done" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in written} == written
    with pytest.raises(UserError, match="images: was 8, now 9"):
        main(Config(project.workdir.path, images=9))


@pytest.mark.usefixtures("unchecked")
def test_goes_on_where_it_was_cut(work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    project = work_folder()
    config = Config(project.workdir.path, images=8)
    with monkeypatch.context() as cut:
        cut.setattr(command, "write_cards", interrupt)
        with pytest.raises(KeyboardInterrupt):
            main(config)
    monkeypatch.setattr(command, "jax_outputs", interrupt)  # all models are there: none is checked again
    main(config)
    assert project.workdir.step("export").is_done


def interrupt(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_a_model_that_differs_is_not_written(
    work_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = work_folder()
    other = dataclasses.replace(FORMATS["onnx"], build=lambda spec, params, stats: build_onnx(spec))
    monkeypatch.setitem(FORMATS, "onnx", other)
    with pytest.raises(parity.ExportMismatch, match="differ by"):
        main(Config(project.workdir.path, images=8))
    assert not list(project.workdir.path.glob("export/*/*"))


def test_images_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--images 0"):
        main(Config(tmp_path, images=0))


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
    monkeypatch.setattr(command, "environment", lambda: {"cpu": "Toaster 3000"})
    main(Config(project.workdir.path, images=2))
    assert "this is Toaster 3000" in capsys.readouterr().err
