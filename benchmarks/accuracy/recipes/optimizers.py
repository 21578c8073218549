"""Optimisers on vectors of all parameters, each in one compiled program that takes its numbers.

Letters: P parameters.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
import optax.contrib

from supernet.flat import flatten, unflatten
from supernet.model import Model
from supernet.training import is_kernel


class Numbers(NamedTuple):
    """Of a step: learning rate, weight decay of kernels, the norm gradients are cut to, and the weight of the
    past in the average."""

    rate: Any
    decay: Any
    clip: Any
    past: Any


def compiled_optimizer(model: Model, kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`begin(vector) -> state`; `update(gradient, state, vector, average, numbers)` -> the three, new.

    All that differs between recipes of one kind is a number: they share the program.
    """
    like = model.abstract_params
    kernels, direction = is_kernel(like), direction_of(kind, like)

    @jax.jit
    def update(gradient: Any, state: Any, vector: Any, average: Any, numbers: Numbers) -> Any:
        gradient = gradient * jnp.minimum(1, numbers.clip / jnp.linalg.norm(gradient))
        step, state = direction.update(gradient, state, vector)
        vector = vector - numbers.rate * (step + numbers.decay * kernels * vector)
        average = numbers.past * average + (1 - numbers.past) * vector
        return vector, average, state

    return jax.jit(direction.init), update


def direction_of(kind: str, like: Any) -> optax.GradientTransformation:
    """Which way an optimiser goes from a gradient [P]; the learning rate is the caller's."""
    if kind == "adam":
        return optax.scale_by_adam()
    if kind == "nadam":
        return optax.scale_by_adam(nesterov=True)
    if kind == "momentum":
        return optax.trace(0.9, nesterov=True)
    if kind == "prodigy":
        return backwards(optax.contrib.prodigy(1.0))
    muon = optax.contrib.muon(
        1.0,
        consistent_rms=0.2,
        adam_learning_rate=1.0,
        muon_weight_dimension_numbers=functools.partial(jax.tree.map_with_path, as_matrix),
    )
    return backwards(on_tree(muon, like))


def backwards(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """Optimisers go down, directions are subtracted."""
    return optax.chain(optimizer, optax.scale(-1.0))


def on_tree(optimizer: optax.GradientTransformation, like: Any) -> optax.GradientTransformation:
    """An optimiser that has to see the arrays one by one, for vectors [P]."""

    def update(gradient: Any, state: Any, vector: Any = None) -> Any:
        step, state = optimizer.update(unflatten(like, gradient), state, unflatten(like, vector))
        return flatten(step), state

    return optax.GradientTransformation(lambda vector: optimizer.init(unflatten(like, vector)), update)


def as_matrix(path: Any, leaf: Any) -> Any:
    """Muon's matrices: kernels by inputs and outputs. Depthwise ones and the classifier are left to Adam."""
    names = [key.key for key in path]
    if names[-1] != "kernel" or leaf.ndim < 2 or {"depthwise", "classifier"} & set(names):
        return None
    return optax.contrib.MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), (leaf.ndim - 1,))
