"""How long a training lasts where no flag says so."""

import functools
import types
from typing import Any

from hytnas_jax.data import Task
from hytnas_jax.tasks import vision_task
from hytnas_jax.training.length import length_of


def project(task: Task, num_training_images: int) -> Any:
    found = vision_task(task, 2)
    return types.SimpleNamespace(task=found, num_training_images=num_training_images)


at_least_2000_steps = functools.partial(length_of, usual=20, least_steps=2000)


def test_usual_epochs_where_there_are_many_images() -> None:
    assert at_least_2000_steps(project("detection", 100_000), epochs=None, batch_size=None) == (20, 8)
    few = project("classification", 5)
    assert length_of(few, epochs=None, batch_size=None, usual=20, least_steps=0) == (20, 32)


def test_few_images_are_seen_more_often() -> None:
    """2,000 steps of 8 are 16,000 images: 200 of them 80 times."""
    few = project("detection", 200)
    assert at_least_2000_steps(few, epochs=None, batch_size=None) == (80, 8)
    assert at_least_2000_steps(few, epochs=None, batch_size=16) == (160, 16)


def test_what_is_asked_for_is_done() -> None:
    assert at_least_2000_steps(project("detection", 200), epochs=1, batch_size=4) == (1, 4)
