"""One compiled training step that augments its pictures on the device."""

import functools
from collections.abc import Callable
from typing import Any

import jax

from hytnas_jax.data import augment
from hytnas_jax.project import Project
from supernet import training
from supernet.model import Model


def augmented_step(project: Project, model: Model, recipe: training.Recipe) -> Callable[..., Any]:
    """`train(state, key, images, labels, subnets, *, resolution) -> (state, metrics)`.

    images uint8 [B, S, S, C] as stored, labels int [B]; `subnets` is a `Control` of [K], or None for a
    stand-alone network. Compiled once for each resolution; the state's buffers are used again.
    """

    @functools.partial(jax.jit, static_argnames="resolution", donate_argnums=0)
    def train(
        state: training.TrainState, key: jax.Array, images: Any, labels: Any, subnets: Any, *, resolution: int
    ) -> tuple[training.TrainState, training.Metrics]:
        inputs = augment(
            key,
            images,
            resolution=resolution,
            mean=project.mean,
            std=project.std,
            flip=project.flip,
            crop=True,
        )
        return training.step(model, recipe, state, inputs, labels, subnets)

    return train


def step_key(seed: int, attempt: int, number: int) -> jax.Array:
    """The random key of step `number`; a new attempt after a roll-back has others."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), attempt), number)
