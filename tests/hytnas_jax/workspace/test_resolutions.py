"""Default resolutions: the largest that the images reach, and larger ones for small boxes."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from made_up_tasks import save_boxes

from hytnas_jax.data import Looked
from hytnas_jax.data.readers.boxes import Boxes
from hytnas_jax.data.readers.source import Task
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.tasks import with_head
from hytnas_jax.tasks.small_boxes import large_enough
from hytnas_jax.workspace import project
from hytnas_jax.workspace.resolutions import default_resolutions, resolutions_for
from hytnas_jax.workspace.workdir import Workdir
from supernet.spaces import built_in_space


@pytest.mark.parametrize(
    ("choices", "native", "expected"),
    [
        ((8, 12, 16, 24, 32), 8, (8, 12)),  # one reached: the smallest two
        ((8, 12, 16, 24, 32), 12, (8, 12)),
        ((8, 12, 16, 24, 32), 28, (16, 24)),
        ((8, 12, 16, 24, 32), 500, (24, 32)),
        ((8, 12, 16, 24, 32), 5, (8, 12)),  # none reached
        ((32, 8, 16), 20, (8, 16)),  # in no order
        ((224,), 64, (224,)),
        ((224,), 300, (224,)),
    ],
)
def test_default_resolutions_by_hand(
    choices: tuple[int, ...], native: int, expected: tuple[int, ...]
) -> None:
    assert default_resolutions(choices, native) == expected


@pytest.mark.parametrize(
    ("narrower", "expected"),
    [
        (0.2, [96, 128]),
        (8 / 96, [96, 128]),
        (7.5 / 96, [96, 128]),  # 15 / 16 of a cell will do
        (0.078, [128, 160]),
        (0.05, [160, 192]),
        (0.048, [160, 192]),
        (8 / 192, [192, 224]),
        (0.001, [192, 224]),  # none is large enough
        (0.0, [96, 128]),  # boxes without a width
    ],
)
def test_half_of_the_boxes_span_a_cell_of_8_pixels(narrower: float, expected: list[int]) -> None:
    assert large_enough((48, 64, 96, 128, 160, 192, 224), (96, 128), narrower, 8) == expected


def looked(task: Task, *sides: float) -> Looked:
    """A source of square boxes with these sides, and of as many that are ignored."""
    corners = np.array([[0, 0, side, side] for side in (*sides, *[0.01] * len(sides))], np.float32)
    ignored = np.arange(len(corners)) >= len(sides)
    boxes = Boxes(corners, np.zeros(len(corners), np.int32), ignored)
    source = SimpleNamespace(task=task, all_boxes=lambda split: (np.zeros(len(boxes)), boxes))
    return cast(Looked, SimpleNamespace(source=source))


def test_small_boxes_are_seen_larger_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    space = with_head(built_in_space("hybrid"), "detection", is_declared=False)
    assert resolutions_for(space, looked("detection", 0.3, 0.2, 0.1), 640) == (96, 128)
    assert capsys.readouterr().out == ""
    assert resolutions_for(space, looked("detection", 0.05, 0.05, 0.9), 640) == (160, 192)
    said = capsys.readouterr().out
    assert said.startswith("half of the boxes are narrower than 5.0% of an image: at 160 and 192 pixels")
    assert resolutions_for(space, looked("detection", 0.05), 170) == (128, 160)  # no more than there is
    assert resolutions_for(space, None, 640) == (96, 128)


def test_masks_and_classes_have_the_usual_ones() -> None:
    space = built_in_space("hybrid")
    assert resolutions_for(space, looked("classification"), 640) == (192, 224)
    dense = with_head(space, "segmentation", is_declared=False)
    assert resolutions_for(dense, looked("segmentation"), 640) == (96, 128)


def test_resolutions_that_are_given_are_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is anything said of others."""
    monkeypatch.setattr(project, "resolutions_for", lambda *_: pytest.fail("nobody has asked for defaults"))
    flags = DataConfig(tmp_path / "work", data=str(save_boxes(tmp_path / "images")), resolutions=(32,))
    found, _ = project.create_project(Workdir(tmp_path / "work"), flags, seed=0)
    assert found.space.resolution == (32,)
