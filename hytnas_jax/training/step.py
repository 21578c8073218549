"""One compiled training step that augments its images on the device.

Letters: N images of the data set, S their side, C channels, B batch.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hytnas_jax.data import LabelledImages, augment_with_crops
from hytnas_jax.runtime import mesh, process_group
from hytnas_jax.tasks import VisionTask
from hytnas_jax.training.order import Order
from hytnas_jax.training.prefetch import PrefetchedBatches
from hytnas_jax.workspace.project import Project
from supernet import training
from supernet.device_memory import free_bytes
from supernet.model import Model

HELD_FRACTION = 0.25  # of the free memory that a data set may take; the rest is for training


def augmented_step(
    project: Project, model: Model, recipe: training.Recipe, images: LabelledImages, order: Order
) -> Callable[..., Any]:
    """`train(state, key, place, subnets, *, resolution) -> (state, metrics)`.

    place is (number of the step, attempt), at which `order` has chosen some of `images`; `subnets` is a
    `Control` of [K], or None for a stand-alone network. Compiled once for each resolution; the state's
    buffers are used again. An accelerator holds all of `images` where they fit, so that no step waits for the
    host to send some. Streamed ones are decoded ahead of their steps.

    Several devices train on a batch together: each has its part, and the state. What is random is drawn for
    the whole batch, and BatchNorm's statistics are the whole batch's, so that it is one device's step.
    """
    take = _taken_by(images, order)
    train = compiled_step(
        model, recipe, project.task, mean=project.mean, std=project.std, mirror=project.mirror
    )

    def step(
        state: training.TrainState, key: jax.Array, place: tuple[int, int], subnets: Any, *, resolution: int
    ) -> tuple[training.TrainState, training.Metrics]:
        if mesh.is_split():
            key, subnets = mesh.replicated((key, subnets))
        return train(state, key, *take(*place), subnets, resolution=resolution)

    return step


@functools.lru_cache(maxsize=1)
def compiled_step(
    model: Model,
    recipe: training.Recipe,
    task: VisionTask,
    *,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    mirror: bool,
) -> Callable[..., Any]:
    """`train(state, key, images, targets, subnets, *, resolution) -> (state, metrics)` of a batch at hand.

    images uint8 [B, S, S, C] and targets, arrays [B, ...]; the others as `augmented_step` says. The same
    arguments again have the same program: a network trained from several seeds is compiled once.
    """
    where = {"out_shardings": mesh.everywhere()} if mesh.is_split() else {}
    drawn = dataclasses.replace(task.augmentation, mirror=mirror)
    recipe = dataclasses.replace(recipe, lesson=task.lesson)

    @functools.partial(jax.jit, static_argnames="resolution", donate_argnums=0, **where)
    def train(
        state: training.TrainState,
        key: jax.Array,
        images: Any,
        targets: Any,
        subnets: Any,
        *,
        resolution: int,
    ) -> tuple[training.TrainState, training.Metrics]:
        inputs, crops = augment_with_crops(key, images, drawn, resolution=resolution, mean=mean, std=std)
        moved = task.move(targets, crops, images.shape[1], resolution)
        return training.step(model, recipe, state, inputs, moved, subnets)

    return train


def _taken_by(images: LabelledImages, order: Order) -> Callable[[int, int], tuple[Any, Any]]:
    """`take(number, attempt) -> images, targets` of a step."""
    if images.are_streamed:
        return PrefetchedBatches(images, order)
    cut = held(images) if process_group.of_lead("held", lambda: holds(images)) else sent(images)
    return lambda number, attempt: cut(order.at(number, attempt))


def holds(images: LabelledImages) -> bool:
    """Whether the device holds all images: where its memory is its own, and large enough."""
    if jax.default_backend() == "cpu" or images.are_streamed:
        return False
    needed = sum(array.nbytes for array in (images.images, *images.targets.values()))
    return needed <= HELD_FRACTION * free_bytes(jax.local_devices()[0])


def held(images: LabelledImages) -> Callable[[np.ndarray], tuple[Any, Any]]:
    """`take(chosen) -> images, targets`, cut on the device from all images, which lie there."""
    everything = (images.images, images.targets)

    def cut(arrays: Any, chosen: Any) -> Any:
        return jax.tree.map(lambda array: array[chosen], arrays)

    if not mesh.is_split():
        everything, take = jax.device_put(everything), jax.jit(cut)
        return lambda chosen: take(everything, chosen)
    everything, take = mesh.replicated(everything), jax.jit(cut, out_shardings=mesh.split())
    return lambda chosen: take(everything, mesh.joined(mesh.own_rows(chosen.astype(np.int32))))


def sent(images: LabelledImages) -> Callable[[np.ndarray], tuple[Any, Any]]:
    """`take(chosen) -> images, targets`, cut by the host and sent with each step; each host cuts the rows of
    its own devices."""

    def take(chosen: np.ndarray) -> tuple[Any, Any]:
        batch = images.take(mesh.own_rows(chosen) if mesh.is_split() else chosen)
        rows = batch.images, batch.targets
        return mesh.joined(rows) if mesh.is_split() else rows

    return take


def step_key(seed: int, attempt: int, number: int) -> jax.Array:
    """The random key of step `number`; a new attempt after a roll-back has others."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), attempt), number)
