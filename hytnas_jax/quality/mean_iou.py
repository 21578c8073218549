"""Mean intersection over union of masks, by counts of pixels.

Letters: N images, H W pixels, K classes.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.quality.jackknife import standard_deviations
from proxies.evaluation.base import mean_of_known
from proxies.evaluation.segmentation import iou_by_class
from supernet.tasks.segmentation import IGNORED

MOST_CONFUSIONS = 3


@dataclasses.dataclass(frozen=True)
class MeanIou:
    """The mean over the classes that occur in the truth, NaN where none does, with a standard deviation; by
    class [K], NaN for a class that does not occur; `accuracy`: the share of the pixels that are right."""

    miou: float
    deviation: float
    by_class: NDArray[np.float64]
    accuracy: float


def pixel_counts(found: np.ndarray, truth: np.ndarray, num_classes: int) -> NDArray[np.int64]:
    """The pixels of an image by true class and by class found, [K, K]; both masks [H, W], 255 ignored in the
    truth.

    Raises:
      ValueError: masks of two sizes, or a class that there is not.
    """
    if found.shape != truth.shape:
        raise ValueError(f"the mask found is {found.shape}, the true one {truth.shape}: resize the former")
    counted = truth != IGNORED
    true, named = truth[counted].astype(np.int64), found[counted].astype(np.int64)
    for name, classes in (("truth", true), ("found", named)):
        if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
            raise ValueError(f"{name} has classes up to {classes.max()}: must be below {num_classes}")
    return np.bincount(true * num_classes + named, minlength=num_classes**2).reshape(num_classes, num_classes)


def mean_iou(counts: np.ndarray) -> MeanIou:
    """Of `pixel_counts` of images, [N, K, K]."""
    total = counts.sum(0)
    by_class = iou_by_class(total)
    (deviation,) = standard_deviations(
        len(counts), lambda images: [mean_of_known(iou_by_class(counts[images].sum(0)))]
    )
    accuracy = float(np.trace(total) / total.sum()) if total.sum() else np.nan
    return MeanIou(mean_of_known(by_class), float(deviation), by_class, accuracy)


def miou_by_image(counts: np.ndarray) -> NDArray[np.float64]:
    """[N], of `pixel_counts` of images, [N, K, K]: over the classes that occur in an image, NaN without."""
    return np.array([mean_of_known(iou_by_class(each)) for each in counts])


def confusions(counts: np.ndarray, most: int = MOST_CONFUSIONS) -> list[dict[str, Any]]:
    """The pairs of classes that most pixels are confused by, as JSON values: "class", what it is "taken_for",
    "pixels", and their "share" of the class's pixels. Of `pixel_counts` of images, [N, K, K]."""
    total = counts.sum(0)
    wrong = np.where(np.eye(len(total), dtype=bool), 0, total)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(total)) for place in order]
    return [
        {
            "class": true,
            "taken_for": named,
            "pixels": int(wrong[true, named]),
            "share": float(wrong[true, named] / total[true].sum()),
        }
        for true, named in pairs
        if wrong[true, named]
    ]
