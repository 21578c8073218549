"""Evaluating detection: 1 - mAP as COCO counts it, and the lesson's loss.

Letters: N batches, B batch, M truth boxes of an image at most, D boxes found, K classes, T thresholds, S bins
of scores.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from proxies.evaluation.base import Scoring
from proxies.evaluation.boxes import find_boxes
from proxies.evaluation.coco_matching import NEITHER, THRESHOLDS, match_boxes
from supernet.tasks import detection as lesson
from supernet.tasks.base import Targets

LOGIT_RANGE = 8.0  # bins are equally wide in the logarithm of the odds, from minus this on
RECALLS = np.linspace(0, 1, 101)


class Sums(NamedTuple):
    """Over images.

    Attributes:
      found: int32 [K, 2, T, S], wrong and right boxes by class, threshold and score.
      truth: int32 [K], boxes to be found; the ignored are not among them.
      losses: the parts of the loss, each [].
      images: [], how many.
    """

    found: jax.Array
    truth: jax.Array
    losses: lesson.LossSums
    images: jax.Array


class Quality(NamedTuple):
    """AP is the mean over the thresholds 0.50 to 0.95, AP50 that of 0.50; NaN where there is no truth box.

    ap, ap50: means over the classes. by_class, by_class50: float64 [K].
    """

    ap: float
    ap50: float
    by_class: NDArray[np.float64]
    by_class50: NDArray[np.float64]


@functools.cache
def detection(num_classes: int, /, box_weight: float = lesson.BOX_WEIGHT) -> Scoring:
    """Of outputs and targets as `supernet.tasks.detection` describes them."""

    def summarise(outputs: jax.Array, targets: Targets, real: jax.Array) -> Sums:
        assert outputs.shape[-1] == num_classes + 4, "logits and four sides"
        return _summarise(outputs, targets, real)

    def score(sums: Sums) -> NDArray[np.float64]:
        return np.array([1 - quality(sums).ap, lesson.mean_loss(sums.losses, box_weight)], np.float64)

    return Scoring(summarise, score)


def num_bins(num_classes: int) -> int:
    """S: as many as a few megabytes of counts allow, for AP within 0.001 of COCO's."""
    return min(4096, max(512, 2**15 // num_classes))


def quality(sums: Sums) -> Quality:
    """Average precisions, on the host."""
    precisions = average_precisions(np.asarray(sums.found), np.asarray(sums.truth))
    present = precisions[np.asarray(sums.truth) > 0]
    ap, ap50 = (float(values.mean()) if len(values) else np.nan for values in (present, present[:, 0]))
    return Quality(ap, ap50, precisions.mean(1), precisions[:, 0])


def average_precisions(found: np.ndarray, truth: np.ndarray) -> NDArray[np.float64]:
    """[K, T] of `Sums.found` and `Sums.truth`: precision at 101 recalls, NaN for a class without truth.

    In a bin right and wrong boxes are taken as evenly mixed; else this is COCO's.
    """
    result = np.full((len(truth), len(THRESHOLDS)), np.nan)
    for k in np.flatnonzero(truth):
        for t in range(len(THRESHOLDS)):
            wrong, right = found[k, :, t, ::-1].astype(np.int64)  # the best first
            result[k, t] = _average_precision(wrong, right, int(truth[k]))
    return result


def _average_precision(wrong: np.ndarray, right: np.ndarray, truth: int) -> float:
    """Of wrong and right boxes by bins [S], the best first."""
    bins = np.repeat(np.arange(len(right)), right)  # of each right box
    rank = np.arange(1, len(bins) + 1)
    before = np.cumsum(wrong) - wrong
    within = rank - (np.cumsum(right) - right)[bins]
    mistakes = before[bins] + wrong[bins] * within / (right[bins] + 1)
    precision = np.maximum.accumulate((rank / (rank + mistakes))[::-1])[::-1]
    index = np.searchsorted(rank / truth, RECALLS)
    return float(precision[index[index < len(precision)]].sum()) / len(RECALLS)


def _summarise(outputs: jax.Array, targets: Targets, real: jax.Array) -> Sums:
    """Of outputs [N, B, h, w, K + 4], batch by batch."""
    num_classes = outputs.shape[-1] - 4

    def of_batch(batch: tuple[jax.Array, Targets, jax.Array]) -> tuple[jax.Array, ...]:
        output, targets, real = batch
        found = find_boxes(output)
        verdicts = jax.vmap(match_boxes)(found, targets["boxes"], targets["classes"], targets["ignored"])
        verdicts = jnp.where(real[:, None, None], verdicts, NEITHER)
        losses = lesson.image_losses(output, lesson.encode(targets, output.shape[1:]))
        losses = jax.tree.map(lambda values: jnp.sum(jnp.where(real, values, 0)), losses)
        return found.classes, found.scores, verdicts, losses

    classes, scores, verdicts, losses = jax.lax.map(of_batch, (outputs, targets, real))
    wanted = real[..., None] & ~targets["ignored"] & (targets["classes"] >= 0)
    truth = jnp.where(wanted, targets["classes"], num_classes)
    return Sums(
        found=histogram(classes, scores, verdicts, num_classes),
        truth=jnp.zeros(num_classes, jnp.int32).at[truth].add(1, mode="drop"),
        losses=jax.tree.map(jnp.sum, losses),
        images=jnp.sum(real),
    )


def histogram(classes: jax.Array, scores: jax.Array, verdicts: jax.Array, num_classes: int) -> jax.Array:
    """`Sums.found` of classes and scores [..., D] and verdicts [..., D, T]; a NaN is in the first bin."""
    bins, thresholds = num_bins(num_classes), len(THRESHOLDS)
    odds = jnp.nan_to_num(jnp.log(scores) - jnp.log1p(-scores), nan=-LOGIT_RANGE)
    index = jnp.clip((odds / LOGIT_RANGE + 1) / 2 * bins, 0, bins - 1).astype(jnp.int32)
    place = (jnp.maximum(classes, 0)[..., None], verdicts, jnp.arange(thresholds), index[..., None])
    empty = jnp.zeros((num_classes, 2, thresholds, bins), jnp.int32)
    return empty.at[place].add(1, mode="drop")  # what is neither has no place
