"""Feed-forward networks trained together: all members of an ensemble are one compiled program.

The number of points is padded to a multiple of 64 with points of no weight, so that a search compiles anew
only once in 64 evaluations. Letters of the shapes: K members, N points, F features.
"""

import functools
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

BUCKET = 64
# With two hidden layers, random networks of unit normal weights then have a variance of about 1.
OUTPUT_SCALE = 1.4

# weights [K, inputs, outputs] and biases [K, 1, outputs] of each layer
Networks = list[tuple[Any, Any]]


def draw_networks(widths: Sequence[int], num_members: int, rng: np.random.Generator) -> Networks:
    """All weights and biases from a unit normal; `outputs` divides them by the root of their number."""
    return [
        (
            rng.standard_normal((num_members, inputs, outputs), np.float32),
            rng.standard_normal((num_members, 1, outputs), np.float32),
        )
        for inputs, outputs in pairwise(widths)
    ]


def hidden(networks: Networks, x: Any, xp: ModuleType) -> Any:
    """Every member's last hidden layer [K, N, H] for x [N, F], by NumPy or jax.numpy; swish activations."""
    for weights, biases in networks[:-1]:
        linear = xp.matmul(x, weights) / np.sqrt(weights.shape[1]).astype(weights.dtype) + biases
        x = 0.5 * linear * (1.0 + xp.tanh(0.5 * linear))
    return x


def outputs(networks: Networks, x: Any, xp: ModuleType) -> Any:
    """Every member's output [K, N] for x [N, F], by NumPy or jax.numpy."""
    weights, biases = networks[-1]
    scale = np.asarray(OUTPUT_SCALE / np.sqrt(weights.shape[1]), weights.dtype)
    return (xp.matmul(hidden(networks, x, xp), weights) * scale + biases)[..., 0]


def predictions(networks: Networks, features: np.ndarray) -> np.ndarray:
    """`outputs` in float64, without compiling: the number of features' rows changes all the time."""
    return outputs(networks, features, np)


def train_anchored(
    networks: Networks,
    anchors: Networks,
    x: np.ndarray,
    y: np.ndarray,
    *,
    noise: float,
    learning_rate: float,
    steps: int,
) -> Networks:
    """Each member's most probable weights where its prior is a unit normal around its anchor.

    Minimises |y_k - f_k(x)|^2 / noise + |weights_k - anchor_k|^2 for each member k by Adam.

    Args:
        x: [N, F]. y: [K, N], each member's own targets. noise: the variance of an evaluation's noise.

    Returns:
        the networks, float64.
    """
    padded = -(-len(x) // BUCKET) * BUCKET
    trained = _anchored(
        *(networks, anchors, _pad(x.T, padded).T, _pad(y, padded), _pad(np.ones(len(x)), padded)),
        *(np.float32(noise), np.float32(learning_rate)),
        steps=steps,
    )
    return _in_float64(trained)


def train_early_stopped(
    networks: Networks,
    x: np.ndarray,
    y: np.ndarray,
    held_out: np.ndarray,
    *,
    learning_rate: float,
    weight_decay: float,
    steps: int,
) -> Networks:
    """Each member fitted to the points that it does not hold out, by AdamW (Loshchilov & Hutter 2019).

    Of all steps the one is kept at which the squared error at the points held out, over all members, is
    least.

    Args:
        x: [N, F]. y: [N]. held_out: bool [K, N].

    Returns:
        the networks, float64.
    """
    padded = -(-len(y) // BUCKET) * BUCKET
    trained = _early_stopped(
        *(networks, _pad(x.T, padded).T, _pad(y, padded), _pad(~held_out, padded), _pad(held_out, padded)),
        *(np.float32(learning_rate), np.float32(weight_decay)),
        steps=steps,
    )
    return _in_float64(trained)


@functools.partial(jax.jit, static_argnames="steps")
def _anchored(
    networks: Networks,
    anchors: Networks,
    x: jax.Array,
    y: jax.Array,
    weights: jax.Array,
    noise: jax.Array,
    learning_rate: jax.Array,
    *,
    steps: int,
) -> Networks:
    def loss(members: Networks) -> jax.Array:
        squares = jnp.sum(weights * (y - outputs(members, x, jnp)) ** 2)
        away = jax.tree.map(lambda value, anchor: jnp.sum((value - anchor) ** 2), members, anchors)
        return 0.5 * (squares / noise + sum(jax.tree.leaves(away)))

    optimizer = optax.adam(optax.cosine_decay_schedule(learning_rate, steps))

    def step(carry: tuple[Networks, Any], _: None) -> tuple[tuple[Networks, Any], None]:
        members, optimizer_state = carry
        updates, optimizer_state = optimizer.update(jax.grad(loss)(members), optimizer_state)
        return (optax.apply_updates(members, updates), optimizer_state), None

    (members, _), _ = jax.lax.scan(step, (networks, optimizer.init(networks)), None, length=steps)
    return members


@functools.partial(jax.jit, static_argnames="steps")
def _early_stopped(
    networks: Networks,
    x: jax.Array,
    y: jax.Array,
    fitted: jax.Array,
    held_out: jax.Array,
    learning_rate: jax.Array,
    weight_decay: jax.Array,
    *,
    steps: int,
) -> Networks:
    def loss(members: Networks) -> tuple[jax.Array, jax.Array]:
        squares = (outputs(members, x, jnp) - y) ** 2
        return jnp.sum(fitted * squares) / jnp.sum(fitted[0]), jnp.sum(held_out * squares)

    optimizer = optax.adamw(learning_rate, weight_decay=weight_decay)

    def step(carry: tuple[Any, ...], _: None) -> tuple[tuple[Any, ...], None]:
        members, optimizer_state, best, least = carry
        gradient, error = jax.grad(loss, has_aux=True)(members)
        best = jax.tree.map(lambda now, before: jnp.where(error < least, now, before), members, best)
        updates, optimizer_state = optimizer.update(gradient, optimizer_state, members)
        return (
            optax.apply_updates(members, updates),
            *(optimizer_state, best, jnp.minimum(error, least)),
        ), None

    carry = networks, optimizer.init(networks), networks, jnp.float32(jnp.inf)
    (_, _, best, _), _ = jax.lax.scan(step, carry, None, length=steps)
    return best


def _pad(values: np.ndarray, length: int) -> np.ndarray:
    """values [..., N] -> float32 [..., length], zeros at the end."""
    widths = [(0, 0)] * (values.ndim - 1) + [(0, length - values.shape[-1])]
    return np.pad(np.asarray(values, np.float32), widths)


def _in_float64(networks: Networks) -> Networks:
    return [(np.asarray(weights, np.float64), np.asarray(biases, np.float64)) for weights, biases in networks]
