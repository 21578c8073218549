"""The script of a segmenter: its mask is JAX's, in the size of the image as shown, drawn and written."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from exported_maps import Console, Exported, luminance, write_folder
from PIL import Image

from benchmarks.export.script_quality import load_script
from hytnas_jax.model_files.registry import FORMATS
from hytnas_jax.on_device.drawing import class_colour

LABELS = ["background", "person", "line\nbreak"]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return write_folder(tmp_path_factory.mktemp("exported"), "segmentation", LABELS)


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(tmp_path, monkeypatch, capsys)


def bright_half(image: np.ndarray) -> np.ndarray:
    """A person where the image is bright; nowhere is the third class."""
    bright = luminance(image) * 20 - 10
    return np.stack([-bright, bright, np.full((8, 8), -99)], -1).astype(np.float32)


def half(path: Path, *, mode: str = "RGB", orientation: int = 1) -> Path:
    """160 x 80 pixels as shown, of which the right quarter is white."""
    pixels = np.zeros((80, 160), np.uint8)
    pixels[:, 120:] = 255
    stored = np.rot90(pixels) if orientation == 6 else pixels  # 6: shown a quarter turned to the right
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).convert(mode).save(path, exif=exif)
    return path


def assert_as_in_jax(found: np.ndarray, output: np.ndarray) -> None:
    logits = np.asarray(jax.image.resize(output, (*found.shape, len(LABELS)), "bilinear"))
    ahead = np.diff(np.sort(logits, -1))[..., -1]
    is_sure = ahead > 1e-3
    assert is_sure.mean() > 0.99
    np.testing.assert_array_equal(found[is_sure], logits.argmax(-1)[is_sure])
    assert len(np.unique(found)) > 1


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_the_mask_is_that_of_the_network(exported: Exported, tmp_path: Path, name: str) -> None:
    if name == "tflite":
        pytest.importorskip("ai_edge_litert", reason="hytnas_jax[tflite] is not installed")
    path, kind = half(tmp_path / "half.jpg", orientation=6), FORMATS[name]
    (tmp_path / kind.file).write_bytes(kind.build(exported.spec, exported.params, exported.stats))
    script = load_script(exported.folder)
    card, model = script.read_card(exported.folder / "card.json"), script.load_model(tmp_path / kind.file)
    mask = script.find_mask(path, model, card)
    assert mask.shape == (80, 160)
    assert_as_in_jax(mask, exported.output_of(path))
    assert_as_in_jax(script.find_mask(path, model, card, (9, 30)), exported.output_of(path))


def test_the_script_runs_alone_in_an_empty_folder(exported: Exported, tmp_path: Path) -> None:
    model = FORMATS["onnx"].build(exported.spec, exported.params, exported.stats)
    (exported.folder / "model.onnx").write_bytes(model)
    pixels = RNG.integers(0, 256, (5, 7, 3), np.uint8)
    Image.fromarray(pixels).resize((70, 50)).save(tmp_path / "photo.png")
    (tmp_path / "empty").mkdir()
    command = [sys.executable, "-I", exported.folder / "infer.py", tmp_path / "photo.png", "--mask", "m.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path / "empty")
    written = Image.open(tmp_path / "empty" / "m.png")
    assert written.mode == "L"
    mask = np.asarray(written)
    assert_as_in_jax(mask, exported.output_of(tmp_path / "photo.png"))
    names, printed = ["background", "person", r"line\nbreak"], {}
    for line in done.stdout.splitlines():
        share, label = line.strip().split("%  ")
        printed[label] = float(share) / 100
    counted = {names[number]: (mask == number).mean() for number in np.unique(mask)}
    assert printed == pytest.approx(counted, abs=6e-4)
    assert list(printed.values()) == sorted(printed.values(), reverse=True)
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == ["m.png", "photo.found.png"]
    assert done.stderr.splitlines() == ["wrote m.png", "wrote photo.found.png"]


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_class_lies_where_it_is_shown(
    exported: Exported, console: Console, suffix: str, mode: str, orientation: int
) -> None:
    path = half(console.here / f"half.{suffix}", mode=mode, orientation=orientation)
    script = console.with_model(exported, bright_half)
    assert console.run(script, path, "--mask", "mask.png").lines == [
        " 75.0%  background",
        " 25.0%  person",
    ]
    mask = np.asarray(Image.open("mask.png"))
    np.testing.assert_array_equal(mask, np.tile(np.arange(160) >= 120, (80, 1)))
    drawn = np.asarray(Image.open("half.found.png")).astype(int)
    assert drawn.shape[0] > 80  # the legend
    assert drawn[:80, :110].max() < 10  # the background is as it was
    assert np.abs(drawn[:80, 125:] - (255 + np.array(class_colour(1))) / 2).max() < 10


def test_a_grey_network(console: Console, tmp_path: Path) -> None:
    (tmp_path / "grey").mkdir()
    grey = write_folder(tmp_path / "grey", "segmentation", LABELS, channels=1)
    path = half(console.here / "half.png")
    (line,) = console.run(console.with_model(grey, bright_half), path, "--json", "--no-draw").lines
    assert json.loads(line) == {"background": 0.75, "person": 0.25, "line\nbreak": 0.0}


def test_a_class_of_few_pixels_is_named(exported: Exported, console: Console) -> None:
    Image.new("L", (200, 100)).save("few.png")

    def one_cell(image: np.ndarray) -> np.ndarray:
        """A person in the corner: in one of 20,000 pixels."""
        output = np.zeros((100, 200, 3), np.float32)
        output[0, 0, 1] = 1
        return output

    lines = console.run(console.with_model(exported, one_cell), "few.png", "--no-draw").lines
    assert lines == ["100.0%  background", " <0.1%  person"]


def test_what_is_written_where(exported: Exported, console: Console) -> None:
    path, script = half(console.here / "half.png"), console.with_model(exported, bright_half)
    content = path.read_bytes()
    for arguments, reason in (
        (("--mask", path), f"{path}, which would be lost"),
        (("--draw", path), f"{path}, which would be lost"),
        (("--mask", "half.found.png"), "half.found.png, which would be lost"),
        (("--mask", "a.png", "--draw", console.here / "a.png"), "a.png, which would be lost"),
        (("--mask", "mask.jpg"), "a file whose name ends with .png"),
        (("--mask", "nowhere/mask.png"), "--mask names another place"),
    ):
        result = console.run(script, path, *arguments)
        assert result.status == 2
        assert reason in result.errors[0]
        assert len(result.errors) == 1
    assert list(console.here.iterdir()) == [path]
    assert path.read_bytes() == content
    assert console.run(script, path, "--no-draw", "--mask", "half.found.png").status == 0
