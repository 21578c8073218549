"""The task of a data set, and the head that networks of a space have for it."""

import dataclasses
from collections.abc import Sequence

from hytnas_jax.data.readers.source import Task
from hytnas_jax.tasks.base import VisionTask
from hytnas_jax.tasks.classification import classification
from hytnas_jax.tasks.detection import detection
from hytnas_jax.tasks.segmentation import segmentation
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.stage_space import DenseHeadSpace

# Pixels to a cell of the output, and outputs of a cell beside its classes.
_HEADS: dict[Task, tuple[int, int]] = {"detection": (8, 4), "segmentation": (4, 0)}


def vision_task(name: Task, num_classes: int, class_weights: Sequence[float] = ()) -> VisionTask:
    """The task of that name for so many classes; `class_weights` are for segmentation.

    The same arguments give the same task, so that programs made for it are found again.
    """
    if name == "detection":
        return detection(num_classes)
    return segmentation(tuple(class_weights)) if name == "segmentation" else classification(num_classes)


def with_head(space: SearchSpace, task: Task, *, is_declared: bool) -> SearchSpace:
    """The space with the head that the task needs; its own where it has that.

    Raises UserError where it has that of another task, and a user has declared so.
    """
    own, fits = space.dense_head, _HEADS.get(task, (0, None))[1]
    if own is not None and own.box_channels != fits and not is_declared:
        own, space = None, dataclasses.replace(space, dense_head=None)
    if task == "classification":
        if own is not None:
            raise UserError(
                f"space {space.name!r}: dense_head is for detection and segmentation; leave it out"
            )
        return space
    stride, box_channels = _HEADS[task]
    if own is None:
        nearest = max((s for s in space.strides if s <= stride), default=min(space.strides))
        own = DenseHeadSpace(stride=nearest, box_channels=box_channels)
    if own.box_channels != box_channels:
        raise UserError(
            f"space {space.name!r}: dense_head.box_channels={own.box_channels}: {task} needs {box_channels}"
        )
    return dataclasses.replace(space, dense_head=own)
