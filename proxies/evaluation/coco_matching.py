"""Which of the boxes found are right, as COCO counts: on the device, at all thresholds of the IoU at once.

Letters: D boxes found, M boxes of the truth at most, T thresholds.
"""

import jax
import jax.numpy as jnp
import numpy as np

from proxies.evaluation.boxes import FoundBoxes
from supernet.tasks.box_geometry import TINY, area, intersection, iou

THRESHOLDS = np.linspace(0.5, 0.95, 10)  # of the IoU
WRONG, RIGHT, NEITHER = 0, 1, 2


def match_boxes(found: FoundBoxes, boxes: jax.Array, classes: jax.Array, ignored: jax.Array) -> jax.Array:
    """WRONG, RIGHT or NEITHER for each box found in an image and each threshold, int32 [D, T].

    Of truth boxes [M, 4], classes [M], -1 where there is none, and ignored [M]. The best box found takes the
    truth box of its class that it agrees with best, which then is taken; a box that only agrees with an
    ignored one, of which the intersection over its own area counts, is neither right nor wrong.
    """
    agreement = _agreement(found, boxes, classes, ignored)
    thresholds = jnp.asarray(THRESHOLDS, jnp.float32)[:, None]

    def visit(taken: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Of taken [T, M] and the agreement [M] of one box found."""
        near = row >= thresholds
        free = near & ~ignored & ~taken
        right = jnp.any(free, -1)
        best = jnp.argmax(jnp.where(free, row, -1), -1)
        takes = right[:, None] & (jnp.arange(len(row)) == best[:, None])
        verdict = jnp.where(right, RIGHT, jnp.where(jnp.any(near & ignored, -1), NEITHER, WRONG))
        return taken | takes, verdict

    taken = jnp.zeros((len(THRESHOLDS), len(classes)), bool)
    _, verdicts = jax.lax.scan(visit, taken, agreement)
    return jnp.where(found.classes[:, None] < 0, NEITHER, verdicts)


def _agreement(found: FoundBoxes, boxes: jax.Array, classes: jax.Array, ignored: jax.Array) -> jax.Array:
    """[D, M] in 0..1, -1 for boxes of two classes."""
    mine = found.boxes[:, None]
    covered = intersection(mine, boxes) / jnp.maximum(area(mine), TINY)
    agreement = jnp.where(ignored, covered, iou(mine, boxes))
    same = (found.classes[:, None] == classes) & (classes >= 0)
    return jnp.where(same, agreement, -1)
