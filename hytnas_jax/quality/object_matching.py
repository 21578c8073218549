"""Which objects of an image were found, box by box: on the host, at one IoU, for what people are told.

On a device, at COCO's ten: `proxies.evaluation.coco_matching`.

Letters: D boxes found, M boxes of the truth, O objects: those that are not ignored.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.quality.average_precision import Found, Truth

SAME_IOU = 0.5  # from here on a box is that of the object


@dataclasses.dataclass(frozen=True)
class Matched:
    """sides: [O], the square roots of the objects' areas, in 0..1 of the image's. iou: [O], of each object
    with the box that was found for it, 0 where there is none. wrong: how many boxes are of no object."""

    sides: NDArray[np.float64]
    iou: NDArray[np.float64]
    wrong: int

    @property
    def is_found(self) -> NDArray[np.bool_]:
        """[O]."""
        return self.iou > 0

    @property
    def quality(self) -> float:
        """The panoptic quality of the image (arXiv 1801.00868, equation 1), NaN without objects.

        It is the IoU of what is found, added up, over the boxes that are right and half of all mistakes.
        """
        right, missed = int(self.is_found.sum()), int((~self.is_found).sum())
        return float(self.iou.sum() / (right + (self.wrong + missed) / 2)) if len(self.iou) else np.nan


def match_objects(found: Found, truth: Truth, least: float) -> Matched:
    """Each box found with a score of at least `least`, the best first, takes the object of its class that it
    overlaps most, by an IoU of 0.5 or more, of those that are left.

    A box that lies in an ignored one of its class, by half or more, is no mistake.
    """
    is_object, is_ignored = (truth.classes >= 0) & ~truth.ignored, (truth.classes >= 0) & truth.ignored
    order = [n for n in np.argsort(-found.scores, kind="stable") if found.scores[n] >= least]
    overlap, within = _overlaps(found.boxes[order], truth.boxes)
    iou, wrong = np.zeros(len(truth.classes)), 0
    for row, label in enumerate(found.classes[order]):
        is_class = truth.classes == label
        free = np.where(is_object & is_class & (iou == 0), overlap[row], 0)
        if len(free) and free.max() >= SAME_IOU:
            iou[free.argmax()] = free.max()
        elif not (within[row, is_ignored & is_class] >= SAME_IOU).any():
            wrong += 1
    boxes = truth.boxes[is_object].astype(np.float64)
    return Matched(np.sqrt(_area(boxes)), iou[is_object], wrong)


def _overlaps(found: np.ndarray, truth: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """IoU, and the share of each box found that lies within each of the truth; both [D, M]."""
    a, b = found[:, None].astype(np.float64), truth[None].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.maximum(sides, 0), -1)
    union = _area(a) + _area(b) - shared
    return shared / np.maximum(union, 1e-12), shared / np.maximum(_area(a), 1e-12)


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.prod(boxes[..., 2:] - boxes[..., :2], -1)
