"""Evaluating classification: the error rate, and the mean cross-entropy in nats. Letters: N, B, K classes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from proxies.evaluation.base import Scoring
from supernet.tasks.base import Targets


class Sums(NamedTuple):
    """Over images: how many are wrong, their cross-entropy in nats, how many there are; each []."""

    wrong: jax.Array
    nats: jax.Array
    images: jax.Array


def _summarise(logits: jax.Array, targets: Targets, real: jax.Array) -> Sums:
    """Of logits [N, B, K] and targets {"label": int [N, B]}."""
    labels = targets["label"]
    wrong = (jnp.argmax(logits, -1) != labels) & real
    nats = -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], -1)[..., 0]
    return Sums(jnp.sum(wrong), jnp.sum(jnp.where(real, nats, 0)), jnp.sum(real))


def _score(sums: Sums) -> NDArray[np.float64]:
    """In float32, as the sums are."""
    wrong, nats, images = (np.float32(value) for value in sums)
    return np.array([wrong / images, nats / images], np.float64)


CLASSIFICATION = Scoring(_summarise, _score)
