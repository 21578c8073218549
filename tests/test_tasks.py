"""Detection and segmentation as a user calls them: the whole way by one command, on made-up images."""

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from made_up_tasks import NAMES, save_boxes, save_masks
from test_pipeline import SPACE as TINY
from test_pipeline import call

from benchmarks.export.script_quality import load_script
from hytnas_jax.data import LabelledImages, load_dataset
from hytnas_jax.quality.average_precision import Found, Truth, average_precision
from hytnas_jax.quality.mean_iou import mean_iou, pixel_counts

SPACE = TINY.replace("resolution: [8]", "resolution: [16]").replace("stem_stride: 1", "stem_stride: 2")
SPACE += "dense_head: {width: [8, 16], depth: [1, 2], stride: 2, box_channels: BOXES}\n"


class Job(NamedTuple):
    folder: Path
    workdir: Path
    output: str


def main_job(folder: Path, data: Path, *, box_channels: int) -> Job:
    (folder / "space.yaml").write_text(SPACE.replace("BOXES", str(box_channels)))
    workdir = folder / "work"
    result = call(
        "hytnas_jax",
        *("--workdir", workdir, "--data", data, "--space", folder / "space.yaml", "--epochs", 3),
        *("--retrain-epochs", 2, "--evaluations", 10, "--networks", 12, "--count", 2),
    )
    assert result.returncode == 0, result.stderr
    return Job(data, workdir, result.stdout)


@pytest.fixture(scope="module")
def detection(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("detection")
    return main_job(folder, save_boxes(folder / "boxes"), box_channels=4)


@pytest.fixture(scope="module")
def segmentation(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("segmentation")
    return main_job(folder, save_masks(folder / "masks"), box_channels=0)


def exports(job: Job) -> list[tuple[Path, dict[str, Any]]]:
    found = sorted(path.parent for path in job.workdir.glob("export/*/card.json"))
    assert len(found) == 2
    return [(folder, json.loads((folder / "card.json").read_text())) for folder in found]


def kept_for_the_test(job: Job) -> tuple[tuple[str, ...], LabelledImages]:
    """The files of the test split, and what is said of them."""
    dataset = load_dataset(str(job.folder), side=16)
    return dataset.files["test"], dataset.test


def test_boxes_are_recognised_and_found(detection: Job) -> None:
    assert "recognised as detection of 2 classes" in detection.output
    assert "AP on the validation split" in detection.output
    for folder, card in exports(detection):
        assert (card["task"], card["labels"], card["quality"]["measure"]) == ("detection", list(NAMES), "AP")
        assert card["output"]["shape"] == ["N", 8, 8, 6]
        assert len(card["quality"]["AP50_by_class"]) == 2
        assert (folder / "infer.py").exists()


def test_the_script_alone_finds_what_the_card_says(detection: Job) -> None:
    """AP of the test split, measured by the exported script on the files themselves."""
    files, test = kept_for_the_test(detection)
    columns = (test.targets[name] for name in ("boxes", "classes", "ignored"))
    truth = [Truth(*each) for each in zip(*columns, strict=True)]
    for folder, card in exports(detection):
        script = load_script(folder)
        model = script.load_model(folder / "model.onnx")
        read = script.read_card(folder / "card.json")
        found = [Found(*script.find_boxes(detection.folder / file, model, read)) for file in files]
        told = average_precision(found, truth, 2)
        assert told.ap == pytest.approx(card["quality"]["test"], abs=1e-3)
        assert told.ap50 == pytest.approx(card["quality"]["AP50"], abs=1e-3)


def test_masks_are_recognised_and_the_script_agrees(segmentation: Job) -> None:
    assert "recognised as segmentation of 3 classes" in segmentation.output
    files, test = kept_for_the_test(segmentation)
    for folder, card in exports(segmentation):
        assert card["quality"]["measure"] == "mIoU"
        assert card["output"]["shape"] == ["N", 8, 8, 3]
        script = load_script(folder)
        model = script.load_model(folder / "model.onnx")
        read = script.read_card(folder / "card.json")
        masks = test.targets["mask"]
        counts = [
            pixel_counts(script.find_mask(segmentation.folder / file, model, read, mask.shape), mask, 3)
            for file, mask in zip(files, masks, strict=True)
        ]
        assert mean_iou(np.stack(counts)).miou == pytest.approx(card["quality"]["test"], abs=1e-3)


def test_the_report_shows_what_is_found_and_missed(detection: Job, segmentation: Job) -> None:
    for job, name, beside, fails in (
        (detection, "AP", "AP50", "size of the object"),
        (segmentation, "mIoU", "pixel accuracy", "of its pixels"),
    ):
        source = (job.workdir / "report.html").read_text()
        table = rf"{name} in the search +expected +retrained {name} +test {name} +test {beside} +on the front"
        assert re.search(table, job.output)
        said = f"highest test {name}", f">test {beside}</th>", fails, "Up and to the left is better"
        for words in said:
            assert words in source
        assert "test error" not in source + job.output
        assert re.search(rf"<li>0\.\d{{3}} test {name}</li>", source)
        assert re.search(r"<li>decoding [\d.]+ ms</li>", source)
        embedded = re.findall(r'src="data:image/png;base64,([^"]+)"', source)
        assert len(embedded) in (4, 8)  # the best network may be the smallest
        written = {path.read_bytes() for path in job.workdir.glob("retrain/*/examples/[1-4].png")}
        assert {base64.b64decode(data) for data in embedded} <= written
        assert not re.search(r'(src|href)="(?!data:)', source)


def test_results_and_cards_tell_the_same(detection: Job, segmentation: Job) -> None:
    for job, key in ((detection, "recall"), (segmentation, "confusions")):
        for folder, card in exports(job):
            result = json.loads((job.workdir / "retrain" / folder.name / "result.json").read_text())
            assert card["quality"][key] == result["test_details"][key]
            assert card["latency"]["decoding_ms"] > 0
            assert "decoding_ms" not in card["files"]["model.onnx"]
            assert [entry["quarter"] for entry in result["examples"]] == [1, 2, 3, 4]
            files, _ = kept_for_the_test(job)
            assert {entry["image"] for entry in result["examples"]} <= set(files)


def train_again(job: Job, *changes: object) -> subprocess.CompletedProcess[str]:
    flags = ("--workdir", job.workdir, "--data", job.folder, "--space", job.workdir.parent / "space.yaml")
    return call("hytnas_jax.train_supernet", *flags, "--epochs", 3, *changes)


def test_the_second_time_all_is_done(detection: Job) -> None:
    done = {path: path.read_text() for path in detection.workdir.glob("*/done.json")}
    again = train_again(detection)
    assert again.returncode == 0, again.stderr
    assert "is trained already: AP on the validation split" in again.stdout
    other = train_again(detection, "--task", "classification", "--classes", "dark")
    assert other.returncode == 2
    assert "dense_head is for detection and segmentation" in other.stderr
    assert done == {path: path.read_text() for path in detection.workdir.glob("*/done.json")}


def test_changed_boxes_are_refused(detection: Job, tmp_path: Path) -> None:
    """The pixels are the same; one box is another one."""
    copy = save_boxes(tmp_path / "boxes")
    data = json.loads((copy / "instances.json").read_text())
    data["annotations"][0]["bbox"][2] -= 1
    (copy / "instances.json").write_text(json.dumps(data))
    result = train_again(detection, "--data", copy)
    assert result.returncode == 2
    assert "other boxes or masks: 1 of" in result.stderr


def test_the_same_boxes_as_a_question(tmp_path: Path) -> None:
    """Visual Wake Words from boxes: is there a dark thing?"""
    data = load_dataset(
        str(save_boxes(tmp_path / "boxes")), side=16, task="classification", classes=("dark",)
    )
    assert (data.task, data.class_names) == ("classification", ("no dark", "dark"))
    assert data.train.annotations is None
