"""Naming the class of an image. Letters: B batch, K classes."""

import functools

import jax
import jax.numpy as jnp
import optax

from supernet.tasks.base import Lesson, Targets

LABEL_SMOOTHING = 0.1


@functools.cache
def classification(label_smoothing: float, /) -> Lesson:
    """Targets are {"label": int [B]}, outputs logits [B, K]; the same smoothing gives the same lesson.

    The first subnet learns smoothed labels, the others its probabilities (in-place distillation, arXiv
    1903.05134, section 3).
    """

    def encode(targets: Targets, shape: tuple[int, ...]) -> jax.Array:
        return optax.smooth_labels(jax.nn.one_hot(targets["label"], *shape), label_smoothing)

    return Lesson(encode, _loss, _teach, _share)


def _loss(logits: jax.Array, wanted: jax.Array) -> jax.Array:
    return jnp.mean(optax.softmax_cross_entropy(logits, wanted))


def _teach(logits: jax.Array, wanted: jax.Array) -> jax.Array:
    return jax.nn.softmax(logits)


def _share(logits: jax.Array, targets: Targets) -> jax.Array:
    return jnp.mean(jnp.argmax(logits, -1) == targets["label"], -1)


CLASSIFICATION = classification(LABEL_SMOOTHING)
