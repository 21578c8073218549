"""The commands as a user calls them: the whole way on a tiny space, single steps, mistakes, a kill."""

import csv
import dataclasses
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_script import script_accuracy
from PIL import Image
from quick_environment import quick_environment
from small_space import SMALL_SPACE

from hytnas_jax import retrain, search, train_supernet
from hytnas_jax.data import load_dataset
from hytnas_jax.runtime.command_line import run

Call = Callable[..., subprocess.CompletedProcess[str]]
SPACE = """
name: tiny
stages:
  - {stride: 1, depth: [1, 2], width: [4, 8]}
  - {block: [conv, attention], expansion: [1, 2], width: [4, 8], embed: [4], heads: [1, 2], ffn_ratio: [1],
     patch: [1, 2]}
resolution: [8]
stem_width: 4
stem_stride: 1
head_min: 8
"""
STEPS = ("train_supernet", "measure_latency", "search", "retrain", "export", "report")


def call(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=500, env=quick_environment())


def assert_refused(result: subprocess.CompletedProcess[str], message: str) -> None:
    """A user's mistake: status 2, and a message without a traceback, before any training."""
    assert result.returncode == 2, result.stdout + result.stderr
    assert re.search(message, result.stderr, re.DOTALL), result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert "training the supernet" not in result.stdout


@pytest.fixture
def call_here(capsys: pytest.CaptureFixture[str]) -> Call:
    """As `call`, without the seconds that a new process takes to import JAX."""

    def call_here(module: Any, *arguments: object) -> subprocess.CompletedProcess[str]:
        argv = [str(argument) for argument in arguments]
        with pytest.raises(SystemExit) as caught:
            run(module.main, module.Config, argv)
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return subprocess.CompletedProcess(argv, caught.value.code, out, err)

    return call_here


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """A work folder with every step in it, made by one command."""

    workdir: Path
    flags: tuple[str, ...]
    result: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "space.yaml").write_text(SPACE)
    workdir = folder / "work"
    flags = (
        *("--workdir", str(workdir), "--data", "digits", "--space", str(folder / "space.yaml")),
        *("--max-images", "200", "--epochs", "2", "--retrain-epochs", "1"),
        *("--evaluations", "12", "--networks", "12", "--count", "2"),
    )
    return Pipeline(workdir, flags, call("hytnas_jax", *flags))


def retrained(workdir: Path) -> list[Path]:
    return sorted(path.parent for path in (workdir / "retrain").glob("*/architecture.json"))


def test_the_whole_way(pipeline: Pipeline) -> None:
    """Every file that docs/architecture.md names is there."""
    assert pipeline.result.returncode == 0, pipeline.result.stderr
    # A busy machine is warned of, and may be; anything else on stderr is not expected.
    for line in pipeline.result.stderr.splitlines():
        assert line.startswith("warning: "), pipeline.result.stderr
    assert f"open {pipeline.workdir / 'report.html'} in a browser" in pipeline.result.stdout
    names = [folder.name for folder in retrained(pipeline.workdir)]
    assert len(names) == 2
    expected = ["workdir.json", "report.html", "data/splits.json", "supernet/metrics.jsonl"]
    expected += ["latency/measurements.csv", "latency/predictor.json"]
    files = ("evaluations.csv", "random.csv", "measured.csv", "predictor.json", "pareto.json")
    for file in (*files, "front.png", "hypervolume.png"):
        expected.append(f"search/{file}")
    for name in names:
        files = ("architecture.json", "weights.npz", "evaluated.json", "result.json", "metrics.jsonl")
        expected += [f"retrain/{name}/{file}" for file in files]
        expected += [f"export/{name}/{file}" for file in ("model.onnx", "card.json", "infer.py")]
    for step in ("data", "supernet", "latency", "search", "retrain", "export"):
        expected += [f"{step}/settings.json", f"{step}/done.json"]
    for file in expected:
        assert (pipeline.workdir / file).stat().st_size > 0, file
    assert list((pipeline.workdir / "supernet").glob("events.out.tfevents.*"))
    assert list((pipeline.workdir / "supernet" / "checkpoints").iterdir())
    assert not list(pipeline.workdir.rglob("*.tmp"))
    page = (pipeline.workdir / "report.html").read_text()
    assert all(name in page for name in names)


def test_expected_and_became_are_told(pipeline: Pipeline) -> None:
    """Of the second network, from the first; that stands in the table, the report and the files."""
    records = [
        json.loads((folder / "architecture.json").read_text()) for folder in retrained(pipeline.workdir)
    ]
    first, second = sorted(records, key=lambda record: record["number"])
    assert first["expected"] is None
    expected = second["expected"]
    assert expected["networks"] == 1
    assert 0 < expected["low"] < expected["error"] < expected["high"] < 1
    for number, record in enumerate((first, second), 1):
        name = record["network"]["name"]
        assert f"retraining {name} ({number} of at most 2, {record['role']})" in pipeline.result.stdout
    page = (pipeline.workdir / "report.html").read_text()
    for text in (pipeline.result.stdout, page):
        assert f"{100 * expected['error']:.1f}% ({100 * expected['low']:.1f} to " in text
    summary = json.loads((pipeline.workdir / "retrain" / "done.json").read_text())["summary"]
    assert summary["stopped"] == "2 networks are retrained: no more than --count"
    assert set(summary["front"]) <= {record["network"]["name"] for record in records}


def test_the_script_is_as_good_as_the_card_says(pipeline: Pipeline, tmp_path: Path) -> None:
    """On all test images, from files; the files' own accuracies are those on the validation split."""
    data = load_dataset("digits", side=8, max_images=200)
    for folder in (pipeline.workdir / "export" / path.name for path in retrained(pipeline.workdir)):
        card = json.loads((folder / "card.json").read_text())
        expected = [("model.onnx", data.test, card["quality"]["test"])]
        expected += [(file, data.validation, found["quality"]) for file, found in card["files"].items()]
        for file, split, accuracy in expected:
            found = script_accuracy(folder, file, split.images, split.labels, scratch=tmp_path)
            assert found == pytest.approx(accuracy, abs=1e-6), file


def test_the_second_time_all_is_done(pipeline: Pipeline) -> None:
    done = {path: path.read_text() for path in pipeline.workdir.glob("*/done.json")}
    again = call("hytnas_jax", *pipeline.flags)
    assert (again.returncode, again.stderr) == (0, "")
    for number, step in enumerate(STEPS, 1):
        assert f"[{number}/6] {step}" in again.stdout
    for sentence in (
        "is trained already: accuracy on the validation split",
        "step 'latency' is done",
        "step 'search' is done: 12 evaluations",
        "are retrained already",
        "step 'export' is done",
    ):
        assert sentence in again.stdout
    assert {path: path.read_text() for path in pipeline.workdir.glob("*/done.json")} == done


def test_another_seed_is_refused(pipeline: Pipeline) -> None:
    assert_refused(call("hytnas_jax", *pipeline.flags, "--seed", 1), "seed: was 0, now 1.*another --workdir")


def test_a_description_counts_what_the_weights_hold(pipeline: Pipeline) -> None:
    for folder in retrained(pipeline.workdir):
        described = call("hytnas_jax.describe", folder / "architecture.json", "--json")
        assert described.returncode == 0, described.stderr
        with np.load(folder / "weights.npz", allow_pickle=False) as weights:
            count = sum(weights[name].size for name in weights.files if name.startswith("params/"))
        assert json.loads(described.stdout)["num_parameters"] == count


def test_a_step_alone_goes_on_in_the_same_folder(pipeline: Pipeline) -> None:
    (pipeline.workdir / "report.html").unlink()
    report = call("hytnas_jax.report", "--workdir", pipeline.workdir)
    assert (report.returncode, report.stderr) == (0, "")
    assert (pipeline.workdir / "report.html").exists()


@pytest.fixture
def trained(pipeline: Pipeline, tmp_path: Path) -> Path:
    """A copy in which nothing is searched yet."""
    workdir = tmp_path / "work"
    shutil.copytree(pipeline.workdir, workdir)
    for step in ("search", "retrain", "export"):
        shutil.rmtree(workdir / step)
    return workdir


def test_the_ranking_is_studied_and_stays_known(trained: Path) -> None:
    flags = ("--workdir", trained, "--networks", 10, "--repeated", 2, "--epochs", 1, "--processes", 2)
    result = call("hytnas_jax.study_ranking", *flags)
    assert result.returncode == 0, result.stderr
    assert "training networks on their own: 12 of 12 (100%)" in result.stdout
    rows = (trained / "references" / "references.csv").read_text().splitlines()
    assert len(rows) == 13
    assert sorted(path.name for path in (trained / "references").iterdir() if path.is_dir()) == []
    study = json.loads((trained / "ranking" / "ranking.json").read_text())
    trained_or_counted = {"supernet accuracy", "supernet loss", "parameters", "MACs"}
    untrained = {"Zen-score", "NASWOT", "NASWOT by unit", "AZ-NAS expressivity", "AZ-NAS progressivity"}
    assert trained_or_counted | untrained <= set(study["agreement"])
    assert len(study["networks"]) == 10
    page = (trained / "ranking" / "ranking.md").read_text()
    assert all(name in page for name in study["agreement"])
    assert (trained / "ranking" / "ranking.png").stat().st_size > 0
    again = call("hytnas_jax.study_ranking", *flags)
    assert again.returncode == 0, again.stderr
    assert "training networks" not in again.stdout
    assert "estimating the trained networks" not in again.stdout
    assert json.loads((trained / "ranking" / "ranking.json").read_text())["agreement"] == study["agreement"]
    known = {network["name"]: 1 - network["accuracy"] for network in study["networks"]}
    the_search_uses_what_is_known(trained, known)
    other = call("hytnas_jax.study_ranking", *flags[:-4], "--epochs", 2)
    assert_refused(other, "epochs: was 1, now 2")


def the_search_uses_what_is_known(trained: Path, known: dict[str, float]) -> None:
    """A search for the error after training has the study's networks in it, whose errors are `known`."""
    searched = call(
        "hytnas_jax.search",
        *("--workdir", trained, "--objectives", "trained_error", "macs", "--no-random-baseline"),
        *("--evaluations", 16, "--initial", 12, "--batch", 4),
    )
    assert searched.returncode == 0, searched.stderr
    with (trained / "search" / "evaluations.csv").open(newline="") as file:
        evaluations = list(csv.DictReader(file))
    met = [row for row in evaluations if row["name"] in known]
    assert len(met) >= 6
    errors = [float(row["trained_error"]) for row in met]
    assert errors == pytest.approx([known[row["name"]] for row in met], abs=1e-6)
    assert all(float(row["trained_error_std"]) > 0 for row in evaluations)
    report = call("hytnas_jax.report", "--workdir", trained)
    assert report.returncode == 0, report.stderr
    assert "perfect knowledge, at most" in (trained / "report.html").read_text()


def test_networks_retrained_side_by_side_become_what_they_do_in_turn(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """In two processes; the first that are chosen are the same ones."""
    other = tmp_path / "other"
    shutil.copytree(pipeline.workdir, other)
    shutil.rmtree(other / "retrain")
    result = call("hytnas_jax.retrain", "--workdir", other, "--count", 2, "--epochs", 1, "--processes", 2)
    assert result.returncode == 0, result.stderr
    assert "retraining networks side by side: 2 of 2 (100%)" in result.stdout
    folders = retrained(pipeline.workdir)
    assert [folder.name for folder in folders] == [folder.name for folder in retrained(other)]
    for folder in folders:
        here, there = (
            json.loads((parent / "retrain" / folder.name / "result.json").read_text())
            for parent in (pipeline.workdir, other)
        )
        for name in ("test_error", "validation_error_retrained"):  # sums are added by one thread, not two
            assert there[name] == pytest.approx(here[name], abs=0.03)


def test_limits_that_no_network_meets_are_explained(trained: Path, call_here: Call) -> None:
    result = call_here(search, "--workdir", trained, "--max-params", 100)
    assert_refused(result, "parameters.*100")


def test_a_step_without_the_one_before_names_its_command(trained: Path, call_here: Call) -> None:
    assert_refused(
        call_here(retrain, "--workdir", trained),
        "step 'search' is needed first .* run: python -m hytnas_jax.search --workdir",
    )


def test_a_killed_search_comes_to_the_same_evaluations(trained: Path) -> None:
    """SIGKILL in the middle of the loop; only the seconds may differ from a search that was never cut.

    Nothing is measured on the way, for two measurements differ (search/test_recalibration.py has that).
    """
    evaluated = ("--evaluations", 20, "--initial", 8, "--batch", 1)
    flags = ("--workdir", trained, *evaluated, "--no-random-baseline", "--no-measure-batches")
    log = trained / "search" / "evaluations.csv"
    command = [sys.executable, "-m", "hytnas_jax.search", *map(str, flags)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=quick_environment())
    while not log.exists() or log.read_text().count("\n") < 11:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (trained / "search" / "done.json").exists()

    def finish() -> list[list[str]]:
        result = call("hytnas_jax.search", *flags)
        assert (result.returncode, result.stderr) == (0, "")
        return [line.split(",")[:-1] for line in log.read_text().splitlines()]

    resumed = finish()
    assert len(resumed) == 21
    shutil.rmtree(trained / "search")
    assert finish() == resumed


@pytest.fixture
def save_images(tmp_path: Path) -> Callable[..., Path]:
    """Folders of images by class, of about 24 pixels, in many modes."""

    def save(**counts: int) -> Path:
        rng = np.random.default_rng(0)
        modes = {"RGB": "png", "L": "jpg", "RGBA": "png", "P": "gif", "CMYK": "jpg", "1": "png", "LA": "png"}
        for brightness, (label, count) in enumerate(counts.items()):
            folder = tmp_path / "images" / label
            folder.mkdir(parents=True)
            for number in range(count):
                mode = list(modes)[number % len(modes)]
                size = (*rng.integers(20, 40, 2), 3)
                pixels = rng.integers(0, 156, size, np.uint8) + np.uint8(99 * brightness)
                Image.fromarray(pixels).convert(mode).save(folder / f"{number}.{modes[mode]}")
        return tmp_path / "images"

    return save


@pytest.fixture
def flags(tmp_path: Path) -> tuple[str, ...]:
    """A work folder of its own, and a small space."""
    (tmp_path / "space.yaml").write_text(SMALL_SPACE)
    return ("--workdir", str(tmp_path / "work"), "--space", str(tmp_path / "space.yaml"))


def test_a_folder_of_images_is_enough(
    save_images: Callable[..., Path], flags: tuple[str, ...], call_here: Call
) -> None:
    """By its path alone; an image that cannot be read is left out where asked for."""
    data = save_images(dark=30, bright=30)
    (data / "dark" / "broken.png").write_bytes(b"this is no image")
    command = (*flags, "--data", data, "--resolutions", 24, "--epochs", 2, "--batch-size", 8)
    corrupt = r"image .*dark.broken\.png cannot be read.*--skip-corrupt"
    # This process holds the lock of the folder that it has worked in.
    assert_refused(call_here(train_supernet, *command, "--workdir", flags[1] + "2"), corrupt)
    result = call("hytnas_jax.train_supernet", *command, "--skip-corrupt")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert "skipped 1 image that cannot be read: " in result.stderr
    assert "2 classes; space 'small', 2 networks, at 24 pixels" in result.stdout
    assert "accuracy on the validation split" in result.stdout


def test_images_that_cannot_be_used_are_explained(
    save_images: Callable[..., Path], flags: tuple[str, ...], call_here: Call
) -> None:
    data = save_images(dark=6)
    command = (train_supernet, *flags, "--data", data)
    assert_refused(call_here(*command), r"found 1 class folder \(dark\), a classifier needs at least 2")
    (data / "empty").mkdir()
    assert_refused(call_here(*command), "'?empty'?.* no images")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--data", "digit"), "/digit'.*: no such file or folder; allowed are: digits"),
        (("--epochs", "0"), "--epochs 0: must be at least 1"),
        (("--space", "hybird"), "did you mean 'hybrid'"),
        (("--learning-rate", "0"), "--learning-rate 0.0: must be at least 1e-08"),
        (("--max-images", "3"), "max_images=3: wanted at least 10, one for each class"),
    ],
)
def test_wrong_values_are_explained(
    flags: tuple[str, ...], call_here: Call, wrong: tuple[str, ...], message: str
) -> None:
    assert_refused(call_here(train_supernet, *flags, *wrong), message)


def test_an_impossible_space_is_explained(flags: tuple[str, ...], call_here: Call) -> None:
    Path(flags[3]).write_text(SPACE.replace("heads: [1, 2]", "heads: [1, 3]"))
    message = "stage2.heads=3: must be a divisor of every embedding size, and 4 is one"
    assert_refused(call_here(train_supernet, *flags), message)


def test_a_work_folder_of_another_format_is_refused(flags: tuple[str, ...], call_here: Call) -> None:
    workdir = Path(flags[1])
    workdir.mkdir()
    (workdir / "workdir.json").write_text('{"format": 99, "hytnas_jax": "9.0"}')
    message = "hytnas_jax 9.0 wrote it in format 99.*which reads format 4 .*; give another"
    assert_refused(call_here(train_supernet, *flags), message)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--objectives", "error", "latency"), "--objectives error latency: 'latency' is none; choose from"),
        (("--max-model-bytes-int8", "0"), "--max-model-bytes-int8 0: must be at least 1"),
        (("--formats", "tflite-int8"), "--formats tflite-int8: give each once, and onnx among them"),
    ],
)
def test_the_main_command_refuses_before_it_trains(
    tmp_path: Path, wrong: tuple[str, ...], message: str
) -> None:
    """What the search or the export would only say after the training."""
    assert_refused(call("hytnas_jax", "--workdir", tmp_path / "work", *wrong), message)
    assert not (tmp_path / "work" / "supernet").exists()


def test_a_killed_training_goes_on(flags: tuple[str, ...]) -> None:
    """After the first checkpoint on the way, at step 200."""
    flags = (*flags, "--max-images", "100", "--epochs", "32", "--batch-size", "8")
    command = [sys.executable, "-m", "hytnas_jax.train_supernet", *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=quick_environment())
    folder = Path(flags[1]) / "supernet"
    log = folder / "metrics.jsonl"
    while not log.exists() or log.read_text().count("\n") < 220:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "done.json").exists()
    result = call("hytnas_jax.train_supernet", *flags)
    assert (result.returncode, result.stderr) == (0, "")
    resumed = re.search(r"training the supernet: (\d+) of 400", result.stdout)
    assert resumed is not None
    assert int(resumed[1]) >= 200
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == list(range(400))
