"""What the report tells of detectors and segmenters: from results made by hand."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hytnas_jax.report.dense_sections import classes_section, examples_section, failures_section
from hytnas_jax.report.results import Results
from hytnas_jax.retrain.examples import Example
from hytnas_jax.retrain.retrained import Retrained
from hytnas_jax.tasks import vision_task

NAMES = ("fence", "building", "sky <high>")
EXAMPLES = (Example(b"png", 1, 0.25, "a.png"), Example(b"png", 4, 0.5, ""))


def results(task: str, *networks: tuple[int, dict[str, Any]], names: tuple[str, ...] = NAMES) -> Results:
    """Networks by their parameters and details."""
    project = SimpleNamespace(task=vision_task(task, len(names), (1.0,) * len(names)), class_names=names)  # type: ignore[arg-type]
    made = [
        SimpleNamespace(
            letter="ABC"[index],
            complexity=SimpleNamespace(num_parameters=parameters),
            examples=EXAMPLES if details else (),
            retrained=Retrained(
                f"n{index}", Path(), cast(Any, None), "", {}, {}, None, {"test_details": details}
            ),
        )
        for index, (parameters, details) in enumerate(networks)
    ]
    return cast(Results, SimpleNamespace(project=project, networks=tuple(made)))


def rows(html: str) -> list[list[str]]:
    lines = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line) for line in lines]


def recall(found: int) -> dict[str, Any]:
    groups = [
        {"group": "below 1/8", "objects": 4, "found": found},
        {"group": "more", "objects": 0, "found": 0},
    ]
    return {"iou": 0.5, "least_score": 0.05, "by_size": groups, "by_number_in_image": groups[:1]}


def detector(ap: float, found: int) -> dict[str, Any]:
    by_class = {"AP_by_class": [ap, 0.5, None], "AP50_by_class": [0.75, 1.0, None]}
    return {**by_class, "boxes_by_class": [7, 12, 0], "recall": recall(found)}


def test_classes_of_detectors() -> None:
    html = classes_section(results("detection", (9, detector(0.125, 1)), (5, detector(0.25, 1))))
    assert rows(html) == [
        ["class", "test boxes", "A: AP", "A: AP50", "B: AP", "B: AP50"],
        ["fence", "7", "0.125", "0.750", "0.250", "0.750"],
        ["building", "12", "0.500", "1.000", "0.500", "1.000"],
        ["sky &lt;high&gt;", "0", "–", "–", "–", "–"],
    ]
    assert "<details>" not in html


def test_many_classes_are_folded() -> None:
    told = {"share_of_pixels_by_class": [1 / 21] * 21, "IoU_by_class": [0.5] * 21}
    html = classes_section(results("segmentation", (9, told), names=tuple(map(str, range(21)))))
    assert "<summary>All 21 classes</summary>" in html
    assert rows(html)[:2] == [["class", "test pixels", "A: IoU"], ["0", "4.8%", "0.500"]]


def test_recall_of_detectors() -> None:
    html = failures_section(results("detection", (9, detector(0.1, 1)), (5, detector(0.2, 3))))
    assert "with an IoU of at least 0.5 and a score of at least 0.05" in html
    assert rows(html) == [
        ["size of the object", "test objects", "A", "B"],
        ["below 1/8", "4", "25.0%", "75.0%"],
        ["more", "0", "–", "–"],
        ["objects in the image", "test objects", "A", "B"],
        ["below 1/8", "4", "25.0%", "75.0%"],
    ]


def test_confusions_of_segmenters() -> None:
    pair = {"class": 0, "taken_for": 1, "pixels": 34, "share": 0.34}
    html = failures_section(results("segmentation", (9, {"confusions": [pair]}), (5, {"confusions": []})))
    assert "A: fence taken for building: 34.0% of its pixels." in html
    assert "B: none." in html


def test_examples_of_the_best_and_the_smallest() -> None:
    html = examples_section(results("detection", (9, {"a": 1}), (7, {"a": 1}), (8, {"a": 1})))
    assert html.count("data:image/png;base64,cG5n") == 4
    assert "A (n0), the best in the test:" in html
    assert "B (n1), the smallest:" in html
    assert "Boxes are shown from a score of 0.3 on." in html
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    assert captions[:2] == ["worst quarter: quality 0.25, a.png", "best quarter: quality 0.50"]


def test_the_best_may_be_the_smallest() -> None:
    html = examples_section(results("segmentation", (3, {"a": 1}), (7, {"a": 1})))
    assert html.count("<img") == 2
    assert "smallest" not in html
    assert "score" not in html


@pytest.mark.parametrize("task", ["classification", "detection", "segmentation"])
def test_nothing_is_said_where_nothing_is_known(task: str) -> None:
    for made in (results(task), results(task, (9, {}))):
        assert [examples_section(made), classes_section(made), failures_section(made)] == [""] * 3
