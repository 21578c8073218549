"""The script of a detector: its boxes are JAX's, in pixels of the image as shown, and drawn there."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from exported_maps import Console, Exported, luminance, write_folder
from PIL import Image

from benchmarks.export.script_quality import load_script
from hytnas_jax.data.decode import open_image, read_image
from hytnas_jax.export.infer_script import infer_script
from hytnas_jax.model_files.registry import FORMATS
from hytnas_jax.model_files.runtimes import run_model
from hytnas_jax.on_device.decode_boxes import decode_boxes
from hytnas_jax.on_device.drawing import class_colour

LABELS = ["person", "traffic\nlight", "caf\udce9"]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return write_folder(tmp_path_factory.mktemp("exported"), "detection", LABELS)


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(tmp_path, monkeypatch, capsys)


def one_box(image: np.ndarray) -> np.ndarray:
    """A person of 2 x 1 cells where the image is brightest, with a score of 0.9; all else scores 0.1."""
    output = np.full((8, 8, len(LABELS) + 4), -math.log(9), np.float32)
    output[..., 3:] = np.log([1, 0.5, 1, 0.5])
    output[..., 0].flat[luminance(image).argmax()] = math.log(9)
    return output


def bright_spot(path: Path, *, mode: str = "RGB", orientation: int = 1) -> Path:
    """160 x 80 pixels as shown, black, but for a white cell of 20 x 10 at 60, 50."""
    pixels = np.zeros((80, 160), np.uint8)
    pixels[50:60, 60:80] = 255
    stored = np.rot90(pixels) if orientation == 6 else pixels  # 6: shown a quarter turned to the right
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).convert(mode).save(path, exif=exif)
    return path


def photo(folder: Path) -> Path:
    pixels = Image.fromarray(RNG.integers(0, 256, (5, 7, 3), np.uint8)).resize((70, 50))
    pixels.save(folder / "photo.png")
    return folder / "photo.png"


@pytest.mark.parametrize("name", ["onnx", "onnx-int8", "tflite", "tflite-int8"])
def test_boxes_are_those_of_the_network(exported: Exported, tmp_path: Path, name: str) -> None:
    if "tflite" in name:
        pytest.importorskip("ai_edge_litert", reason="hytnas_jax[tflite] is not installed")
    kind, path = FORMATS[name], photo(tmp_path)
    model, image = kind.build(exported.spec, exported.params, exported.stats), exported.input_of(path)
    expected = exported.output_of(path)
    script = load_script(exported.folder)
    card = script.read_card(exported.folder / "card.json")
    if kind.quantise is not None:  # on the very numbers: of others near a step of eight bits much may differ
        model = kind.quantise(model, np.repeat(image, 4, 0))
        pixels = read_image(lambda: open_image(path), card.rule)
        expected = run_model(model, script.model_input(pixels, card)[None])[0]
    (tmp_path / kind.file).write_bytes(model)
    boxes, scores, classes = script.find_boxes(path, script.load_model(tmp_path / kind.file), card)
    assert len(boxes) > 10
    for found, wanted in zip((boxes, scores, classes), decode_boxes(expected), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_script_runs_alone_in_an_empty_folder(exported: Exported, tmp_path: Path) -> None:
    model = FORMATS["onnx"].build(exported.spec, exported.params, exported.stats)
    (exported.folder / "model.onnx").write_bytes(model)
    path = photo(tmp_path)
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [sys.executable, "-I", exported.folder / "infer.py", path, "--least", "0"],
        capture_output=True, text=True, check=True, cwd=tmp_path / "empty",
    )  # fmt: skip
    boxes, scores, classes = decode_boxes(exported.output_of(path))
    lines = done.stdout.splitlines()
    assert len(lines) == len(boxes)
    names = ["person", r"traffic\nlight", r"caf\udce9"]
    for line, box, score, number in zip(lines, boxes, scores, classes, strict=True):
        printed, label, pixels = line.split("  ")
        assert float(printed) == pytest.approx(score, abs=1e-3)
        assert label == names[number]
        assert np.abs(np.array(pixels.split(" "), int) - box * [70, 50, 70, 50]).max() < 0.51
    assert [entry.name for entry in (tmp_path / "empty").iterdir()] == ["photo.found.png"]
    assert done.stderr == "wrote photo.found.png\n"


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_box_lies_where_its_object_is_shown(
    exported: Exported, console: Console, suffix: str, mode: str, orientation: int
) -> None:
    path = bright_spot(console.here / f"spot.{suffix}", mode=mode, orientation=orientation)
    script = console.with_model(exported, one_box)
    assert console.run(script, path).lines == ["0.900  person  50 50 90 60"]
    drawn = np.asarray(Image.open(console.here / "spot.found.png"))
    assert drawn.shape == (80, 160, 3)
    is_coloured = (drawn == class_colour(0)).all(-1)
    assert is_coloured[59, 50:90].all()
    assert is_coloured[50:60, [50, 89]].all()
    assert not is_coloured[61:].any()
    assert not is_coloured[:, :50].any()


def test_a_grey_network_draws_into_the_colours(console: Console, tmp_path: Path) -> None:
    (tmp_path / "grey").mkdir()
    script = console.with_model(write_folder(tmp_path / "grey", "detection", LABELS, channels=1), one_box)
    path = bright_spot(console.here / "spot.png")
    coloured = np.asarray(Image.open(path)).copy()
    coloured[70:] = (0, 0, 200)
    Image.fromarray(coloured).save(path)
    console.run(script, path, "--draw", "boxes.png")
    drawn = np.asarray(Image.open(console.here / "boxes.png"))
    np.testing.assert_array_equal(drawn[70:], coloured[70:])


def test_what_is_shown_has_the_least_score(exported: Exported, console: Console) -> None:
    path, script = bright_spot(console.here / "spot.png"), console.with_model(exported, one_box)
    few = console.run(script, path, "--least", "0.95", "--no-draw")
    assert few == (0, ["nothing found with a score of at least 0.95"], [])
    dark = console.with_model(exported, lambda image: np.full((8, 8, 7), -5, np.float32))
    assert console.run(dark, path).lines == ["nothing found with a score of at least 0.3"]
    np.testing.assert_array_equal(Image.open("spot.found.png"), Image.open(path))
    assert len(console.run(script, path, "--least", "0.05", "--no-draw").lines) > 50


def test_json(exported: Exported, console: Console) -> None:
    path, script = bright_spot(console.here / "spot.png"), console.with_model(exported, one_box)
    everything = json.loads(console.run(script, path, "--json", "--no-draw").lines[0])
    assert everything[0] == {"label": "person", "score": 0.9, "box": [0.3125, 0.625, 0.5625, 0.75]}
    assert everything[-1]["score"] == 0.1
    assert {found["label"] for found in everything} == set(LABELS)
    few = console.run(script, path, "--json", "--no-draw", "--least", "0.5")
    assert json.loads(few.lines[0]) == everything[:1]


def test_what_is_written_where(exported: Exported, console: Console) -> None:
    path, script = bright_spot(console.here / "spot.png"), console.with_model(exported, one_box)
    content = path.read_bytes()
    assert console.run(script, path, "--no-draw").errors == []
    assert list(console.here.iterdir()) == [path]
    for arguments, reason in (
        (("--draw", path), "is .*spot.png, which would be lost"),
        (("--draw", "../" + console.here.name + "/spot.png"), "which would be lost"),
        (("--draw", "boxes.jpg"), "a file whose name ends with .png"),
        (("--draw", "nowhere/boxes.png"), "cannot be written .*No such file.*--draw names another place"),
        (("--least", "3"), "--least 3: scores are 0 to 1"),
        (("--least", "nan"), "scores are 0 to 1"),
    ):
        result = console.run(script, path, *arguments)
        assert result.status == 2
        (line,) = result.errors
        assert re.search(reason, line)
        assert result.lines == []
    (console.here / "link.found.png").symlink_to(path)
    (console.here / "link.png").symlink_to(path)
    assert console.run(script, "link.png").status == 2
    assert path.read_bytes() == content


def test_models_and_cards_of_something_else(exported: Exported, console: Console) -> None:
    path = bright_spot(console.here / "spot.png")
    for model, reason in (
        (lambda image: np.zeros(3, np.float32), "of shape (3,); detection takes one of 3 axes"),
        (lambda image: np.zeros((8, 8, 3), np.float32), "the model has -1 classes, card.json has 3 labels"),
        (lambda image: np.zeros((8, 8, 8), np.float32), "the model has 4 classes, card.json has 3 labels"),
    ):
        result = console.run(console.with_model(exported, model), path)
        assert result.status == 2
        assert reason in result.errors[0]
    card = json.loads((exported.folder / "card.json").read_text())
    for change, reason in (
        ({"task": "segmentation"}, "is for segmentation, this script is for detection"),
        ({"input": card["input"] | {"image": card["input"]["image"] | {"fit": "crop"}}}, "'stretch' only"),
    ):
        other = console.here / "other"
        other.mkdir(exist_ok=True)
        (other / "infer.py").write_text(infer_script("detection"), encoding="utf-8")
        (other / "card.json").write_text(json.dumps(card | change))
        result = console.run(console.with_model(exported._replace(folder=other), one_box), path)
        assert result.status == 2
        assert reason in result.errors[0]
