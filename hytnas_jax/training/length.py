"""How long a training lasts where no flag says so."""

import math
from typing import NamedTuple

from hytnas_jax.workspace.project import Project


class Length(NamedTuple):
    """How many times each image is seen, and how many of them in a training step."""

    epochs: int
    batch_size: int


def length_of(
    project: Project, *, epochs: int | None, batch_size: int | None, usual: int, least_steps: int
) -> Length:
    """What a user has given, and for None what suits the task and the number of images.

    That is `usual` epochs, and more of few images, until `least_steps` are made.
    """
    batch_size = batch_size or project.task.pace.batch_size
    needed = math.ceil(least_steps * batch_size / project.num_training_images)
    return Length(epochs or max(usual, needed), batch_size)
