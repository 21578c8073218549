"""Evaluating segmentation: 1 - mIoU over pixels, and the lesson's loss.

Letters: N batches, B batch, S the pixels along a side of a mask, h w the cells of an output, K classes.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from proxies.evaluation.base import Scoring, mean_of_known
from supernet.tasks import segmentation as lesson
from supernet.tasks.base import Targets


class Sums(NamedTuple):
    """Over images: pixels by true class and by class found, int32 [K, K]; the parts of the loss, each [];
    how many images there are, []."""

    pixels: jax.Array
    losses: lesson.LossSums
    images: jax.Array


class Quality(NamedTuple):
    """Intersection over union: the mean over the classes that occur in the truth, and of each class [K], NaN
    where it does not occur."""

    miou: float
    by_class: NDArray[np.float64]


@functools.cache
def segmentation(num_classes: int, class_weights: tuple[float, ...], /) -> Scoring:
    """Of outputs and targets as `supernet.tasks.segmentation` describes them."""

    def summarise(outputs: jax.Array, targets: Targets, real: jax.Array) -> Sums:
        assert outputs.shape[-1] == num_classes == len(class_weights), "one logit and weight a class"
        dense = jax.vmap(lambda targets: lesson.encode(targets, outputs.shape[2:], class_weights))(targets)
        losses = jax.vmap(lesson.image_losses)(outputs, dense)
        losses = jax.tree.map(lambda values: jnp.sum(jnp.where(real, values, 0)), losses)
        return Sums(_confusion(outputs, targets["mask"], real), losses, jnp.sum(real))

    def score(sums: Sums) -> NDArray[np.float64]:
        return np.array([1 - quality(sums).miou, lesson.mean_loss(sums.losses)], np.float64)

    return Scoring(summarise, score)


def quality(sums: Sums) -> Quality:
    """On the host."""
    by_class = iou_by_class(np.asarray(sums.pixels, np.int64))
    return Quality(mean_of_known(by_class), by_class)


def iou_by_class(pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union [K] of pixels by true class and by class found [K, K]; NaN for a class that
    does not occur in the truth."""
    right, truth = np.diag(pixels), pixels.sum(1)
    return np.where(truth > 0, right / np.maximum(truth + pixels.sum(0) - right, 1), np.nan)


def _confusion(outputs: jax.Array, masks: jax.Array, real: jax.Array) -> jax.Array:
    """`Sums.pixels` of outputs [N, B, h, w, K] and masks [N, B, S, S], image by image."""
    if masks.size >= lesson.MOST_PIXELS:
        raise ValueError(f"masks {masks.shape} have 2^31 pixels or more; summarise them in parts")
    num_classes = outputs.shape[-1]

    def add_image(pixels: jax.Array, image: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        output, mask, real = image
        logits = jax.image.resize(output, (*mask.shape, num_classes), "bilinear")
        found = jnp.argmax(logits, -1)
        wanted = jnp.where(real & (mask != lesson.IGNORED), mask, num_classes).astype(jnp.int32)
        return pixels.at[wanted, found].add(1, mode="drop"), None

    images = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), (outputs, masks, real))
    return jax.lax.scan(add_image, jnp.zeros((num_classes, num_classes), jnp.int32), images)[0]
