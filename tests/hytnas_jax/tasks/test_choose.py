"""The head that a space has for a task."""

import dataclasses

import pytest

from hytnas_jax.tasks import vision_task, with_head
from supernet.errors import UserError
from supernet.spaces import built_in_space
from supernet.stage_space import DenseHeadSpace

SPACE = built_in_space("hybrid")
OWN = dataclasses.replace(SPACE, dense_head=DenseHeadSpace(width=(16,), depth=(1,), stride=4, box_channels=4))


@pytest.mark.parametrize(("task", "stride", "box_channels"), [("detection", 8, 4), ("segmentation", 4, 0)])
def test_each_task_has_its_head(task, stride, box_channels) -> None:
    head = with_head(SPACE, task, is_declared=True).dense_head
    assert (head.stride, head.box_channels) == (stride, box_channels)
    assert with_head(SPACE, "classification", is_declared=True) is SPACE


def test_a_declared_head_is_kept_and_that_of_another_task_refused() -> None:
    assert with_head(OWN, "detection", is_declared=True) == OWN
    for task in ("segmentation", "classification"):
        with pytest.raises(UserError, match="space 'hybrid': dense_head"):
            with_head(OWN, task, is_declared=True)  # type: ignore[arg-type]


def test_the_head_of_a_supernet_for_another_task_is_replaced() -> None:
    assert with_head(OWN, "classification", is_declared=False) == SPACE
    head = with_head(OWN, "segmentation", is_declared=False).dense_head
    assert (head.stride, head.box_channels) == (4, 0)


def test_the_same_task_is_the_same_object() -> None:
    assert vision_task("detection", 3) is vision_task("detection", 3)
    weights = (1.0, 2.0)
    assert vision_task("segmentation", 2, weights) is vision_task("segmentation", 2, list(weights))
    assert vision_task("detection", 3) is not vision_task("detection", 2)
