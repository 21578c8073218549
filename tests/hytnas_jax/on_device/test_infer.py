"""The script beside an exported model: one file, reads images as training did, names what is wrong."""

import ast
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.export.script_quality import load_script
from hytnas_jax.data import decode, prepare
from hytnas_jax.data.decode import ImageRule, read_image
from hytnas_jax.export.infer_script import infer_script
from hytnas_jax.files.atomic import write_json
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.on_device.infer import Card, model_input
from supernet.named import named_network

Run = Callable[..., subprocess.CompletedProcess[str]]
RNG = np.random.default_rng(0)
LABELS = ["-dash", "Ωμέγα", "emoji😀", "caf\udce9", "line\nbreak"]
RULE = ImageRule(12, 3, "pad", integer_white=1023, float_white=255)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `export` makes it, of a small network with random weights."""
    folder = tmp_path_factory.mktemp("exported")
    spec = named_network("mobilenetv1-0.25", resolution=32, num_classes=len(LABELS), channels=3)
    (folder / "model.onnx").write_bytes(build_onnx(spec))
    (folder / "infer.py").write_text(infer_script(), encoding="utf-8")
    given = {"image": RULE.__dict__, "resolution": 32, "mean": [0.5] * 3, "std": [0.25] * 3}
    write_json(folder / "card.json", {"labels": LABELS, "input": given})
    Image.fromarray(RNG.integers(0, 256, (20, 30, 3), np.uint8)).save(folder / "image.png")
    return folder


def run(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, without this package."""
    command = [sys.executable, folder / "infer.py", *arguments]
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    nowhere = {**os.environ, "PYTHONPATH": "", "PYTHONIOENCODING": encoding, **environment}
    return subprocess.run(command, capture_output=True, env=nowhere, encoding=encoding, cwd=folder)


@pytest.fixture
def run_here(exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """As `run`, without the second that a new process takes to import the runtime."""
    script = load_script(exported)

    def run_here(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["infer.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            script.main()
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return subprocess.CompletedProcess([], caught.value.code, out, err)

    return run_here


def assert_refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Status 2, and one line that names the file."""
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("task", ["classification", "detection", "segmentation"])
def test_the_script_is_one_file_with_the_source_of_decode(task: str) -> None:
    script = infer_script(task)
    assert Path(decode.__file__).read_text(encoding="utf-8") in script
    nodes = list(ast.walk(ast.parse(script)))
    imported = {
        alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {str(node.module).split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported - sys.stdlib_module_names == {"numpy", "PIL", "onnxruntime", "ai_edge_litert"}


@pytest.mark.parametrize("task", ["classification", "detection", "segmentation"])
def test_no_name_in_the_script_has_two_meanings(task: str) -> None:
    """As one that two of its modules define; and packages are looked for before they are imported."""
    tree = ast.parse(infer_script(task))
    assert ast.get_docstring(tree)
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    assert len(names) == len(set(names)) > 20
    looked_for = next(index for index, node in enumerate(tree.body) if isinstance(node, ast.For))
    imports = [node for node in tree.body[:looked_for] if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.name for node in imports for alias in node.names} == {"importlib.util", "sys"}


def test_a_script_has_only_what_its_task_needs() -> None:
    has_boxes, has_masks = (
        [f"def {name}(" in infer_script(task) for task in ("classification", "detection", "segmentation")]
        for name in ("decode_boxes", "decode_mask")
    )
    assert has_boxes == [False, True, False]
    assert has_masks == [False, False, True]


@pytest.mark.parametrize(("stored_side", "resolution"), [(24, 24), (24, 16), (24, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resized_and_normalised_as_in_training(stored_side: int, resolution: int, channels: int) -> None:
    mean, std = [0.4] * channels, [0.2] * channels
    rule = ImageRule(stored_side, channels)
    card = Card([], rule, resolution, np.float32(mean), np.float32(std))
    pixels = RNG.integers(0, 256, (stored_side, stored_side, channels), np.uint8)
    found = model_input(pixels, card)
    assert found.shape == (resolution, resolution, channels)
    expected = prepare(pixels[None], resolution=resolution, mean=mean, std=std)[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)


KINDS: dict[str, Any] = {
    "a.jpg": RNG.integers(0, 256, (40, 50, 3), np.uint8),
    "a.png": RNG.integers(0, 1024, (21, 13), np.uint16),
    "a.tif": RNG.integers(0, 256, (21, 13)).astype(np.float32),
}


@pytest.mark.parametrize("file", KINDS)
def test_pixels_are_those_of_training(exported: Path, tmp_path: Path, file: str) -> None:
    script = load_script(exported)
    card = script.read_card(exported / "card.json")
    Image.fromarray(KINDS[file]).save(tmp_path / file)
    opener = functools.partial(decode.open_image, tmp_path / file)
    found = script.read_image(functools.partial(script.open_image, tmp_path / file), card.rule)
    np.testing.assert_array_equal(found, read_image(opener, RULE))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "utf-16"])
def test_labels_in_any_encoding(exported: Path, encoding: str) -> None:
    done = run(exported, exported / "image.png", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    printed = {line.split("  ", 1)[1]: float(line.split("  ", 1)[0]) for line in lines}
    assert len(printed) == len(LABELS)  # those that a console cannot show stay apart
    assert {"-dash", r"caf\udce9", r"line\nbreak"} < set(printed)
    assert sum(printed.values()) == pytest.approx(1, abs=1e-3)
    assert done.stderr == ""


def test_json(exported: Path) -> None:
    done = run(exported, exported / "image.png", "--json", PYTHONIOENCODING="ascii")
    probabilities = json.loads(done.stdout)
    assert set(probabilities) == set(LABELS)
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert list(probabilities.values()) == sorted(probabilities.values(), reverse=True)
    assert len(done.stdout.splitlines()) == 1


def test_a_card_of_another_task(exported: Path, tmp_path: Path) -> None:
    write("infer.py", infer_script().encode())(tmp_path)
    card = json.loads((exported / "card.json").read_text())
    assert "task" not in card  # as in cards of earlier versions
    write_json(tmp_path / "card.json", card | {"task": "detection"})
    refused = run(tmp_path, exported / "image.png")
    assert_refused(refused, "card.json is for detection, this script is for classification")


def test_a_reader_that_has_gone_is_no_error(exported: Path) -> None:
    command = [sys.executable, exported / "infer.py", exported / "image.png"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def write(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def save(name: str, values: np.ndarray) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        Image.fromarray(values).save(folder / name)
        return folder / name

    return make


def make_folder(folder: Path) -> Path:
    (folder / "folder.png").mkdir()
    return folder / "folder.png"


def make_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.png")
    return folder / "pipe.png"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "nothing.png", "No such file"),
        (make_folder, "it is a folder"),
        (make_pipe, "it is no regular file"),
        (write("empty.png", b""), "the file is empty"),
        (write("text.png", b"no image"), "in no format that Pillow knows"),
        (save("big.png", np.zeros((10000, 20000), bool)), "exceeds limit"),
        (save("nan.tif", np.full((4, 4), np.nan, np.float32)), "16 of its 16 values are no numbers"),
        (save("range.tif", np.full((4, 4), 300, np.float32)), "floats are 0 to 255"),
        (save("deep.png", np.full((4, 4), 5000, np.uint16)), "are 0 to 1023"),
    ],
)
def test_images_that_are_refused(
    run_here: Run, tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    path = make(tmp_path)
    assert_refused(run_here(path), f"{path} cannot be read as an image", reason)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
@pytest.mark.parametrize("content", [b"", b"a text\n" * 100, b"\x1c\0\0\0TFL3" + bytes(range(256))])
def test_files_that_are_no_models(
    run_here: Run, exported: Path, tmp_path: Path, suffix: str, content: bytes
) -> None:
    if suffix == "tflite":
        pytest.importorskip("ai_edge_litert", reason="hytnas_jax[tflite] is not installed")
    path = write(f"model.{suffix}", content)(tmp_path)
    refused = run_here(exported / "image.png", "--model", path)
    assert_refused(refused, f"{path} cannot be read as a model")


def test_models_that_are_refused(run_here: Run, exported: Path, tmp_path: Path) -> None:
    refused = functools.partial(run_here, exported / "image.png", "--model")
    assert_refused(refused("other.onnx"), "other.onnx: no such file")
    assert_refused(refused("."), "is no .onnx or .tflite file")
    assert_refused(refused("card.json"), "card.json is no .onnx or .tflite file")
    for resolution, classes, reason in (
        (64, 5, "does not take what card.json says"),
        (32, 4, "4 classes, card.json has 5 labels"),
    ):
        other = named_network("mobilenetv1-0.25", resolution=resolution, num_classes=classes)
        path = write("other.onnx", build_onnx(other))(tmp_path)
        assert_refused(refused(path), reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b'{"labels": ["a"], "inp', "is no whole model card"),
        (b"[]", "is no whole model card"),
        (b'{"labels": ["a"], "input": {}}', "is no whole model card"),
        (b"\xff\xfe{", "is no whole model card"),
    ],
)
def test_cards_that_are_refused(exported: Path, tmp_path: Path, content: bytes | None, reason: str) -> None:
    write("infer.py", infer_script().encode())(tmp_path)
    if content is not None:
        write("card.json", content)(tmp_path)
    assert_refused(run(tmp_path, exported / "image.png"), f"{tmp_path / 'card.json'}", reason)


def test_a_card_that_was_edited_with_a_byte_order_mark(exported: Path, tmp_path: Path) -> None:
    for file in ("infer.py", "model.onnx", "card.json"):
        write(file, (exported / file).read_bytes())(tmp_path)
    card = json.loads((exported / "card.json").read_text()) | {"labels": list("abcdü")}
    (tmp_path / "card.json").write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8-sig")
    done = run(tmp_path, exported / "image.png", PYTHONUTF8="0", LC_ALL="C")
    assert sorted(line.split()[1] for line in done.stdout.splitlines()) == list("abcdü")


@pytest.mark.parametrize(
    ("package", "module"), [("onnxruntime", "onnxruntime"), ("numpy", "numpy"), ("pillow", "PIL")]
)
def test_a_missing_package_is_named(exported: Path, tmp_path: Path, package: str, module: str) -> None:
    """The script as it is, in a Python that does not find the module."""
    hidden = (
        "import runpy, sys, importlib.util as u\n"
        f"sys.modules[{module!r}], find = None, u.find_spec\n"
        f"u.find_spec = lambda name: None if name == {module!r} else find(name)\n"
        f"sys.argv = ['infer.py', {str(exported / 'image.png')!r}]\n"
        f"runpy.run_path({str(exported / 'infer.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True)
    assert_refused(done, f"pip install {package}")
