"""Average precision of boxes by COCO's own rules, which `faster-coco-eval` computes.

Letters: D boxes found in an image, M boxes of its truth, K classes. A box is left, top, right, bottom, in
0..1 or in pixels.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from hytnas_jax.quality.jackknife import standard_deviations
from proxies.evaluation.base import mean_of_known

MOST_FOUND = 100  # of each class and image


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found in an image: boxes [D, 4], scores [D], classes int [D]."""

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


@dataclasses.dataclass(frozen=True)
class Truth:
    """What is in an image: boxes [M, 4], classes int [M], -1 where there is none, ignored bool [M].

    A box that is found in an ignored one (a crowd, a difficult object) is neither right nor wrong.
    """

    boxes: np.ndarray
    classes: np.ndarray
    ignored: np.ndarray


@dataclasses.dataclass(frozen=True)
class AveragePrecision:
    """AP is the mean over IoU thresholds of 0.50 to 0.95, AP50 that of 0.50, in 0..1.

    Means over the classes that have truth boxes, NaN where none has; with standard deviations. By class [K],
    NaN for a class without truth boxes.
    """

    ap: float
    ap50: float
    ap_deviation: float
    ap50_deviation: float
    by_class: NDArray[np.float64]
    by_class50: NDArray[np.float64]


def average_precision(found: Sequence[Found], truth: Sequence[Truth], num_classes: int) -> AveragePrecision:
    """Of images, one after the other in both.

    Raises:
      ValueError: not as many images in one as in the other.
    """
    if len(found) != len(truth):
        raise ValueError(f"found is of {len(found)} images, truth of {len(truth)}: both need the same images")
    coco = _coco(found, truth, num_classes)
    by_class, by_class50 = _by_class(*coco, np.arange(len(truth)))
    ap_deviation, ap50_deviation = standard_deviations(
        len(truth), lambda images: [mean_of_known(values) for values in _by_class(*coco, images)]
    )
    return AveragePrecision(
        ap=mean_of_known(by_class),
        ap50=mean_of_known(by_class50),
        ap_deviation=float(ap_deviation),
        ap50_deviation=float(ap50_deviation),
        by_class=by_class,
        by_class50=by_class50,
    )


def average_precision50(found: Sequence[Found], truth: Sequence[Truth], num_classes: int) -> float:
    """`ap50` alone: the deviations take twenty times as long."""
    return mean_of_known(_by_class(*_coco(found, truth, num_classes), np.arange(len(truth)))[1])


def _by_class(truth: COCO, found: COCO, images: NDArray[np.intp]) -> tuple[NDArray[np.float64], ...]:
    """AP and AP50 of each class [K] on some of the images."""
    evaluation = COCOeval_faster(truth, found, "bbox", print_function=lambda *_: None)
    evaluation.params.imgIds = images.tolist()
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.params.maxDets = [MOST_FOUND]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 0]  # [T, 101, K], -1 without truth boxes
    precision = np.where(precision < 0, np.nan, precision)
    return precision.mean((0, 1)), precision[0].mean(0)


def _coco(found: Sequence[Found], truth: Sequence[Truth], num_classes: int) -> tuple[COCO, COCO]:
    """Truth and what was found, as the library keeps them; images and classes have their index as id."""
    images: list[Any] = [{"id": index} for index in range(len(truth))]
    boxes: list[Any] = []
    for index, image in enumerate(truth):
        for box, label, ignored in zip(image.boxes, image.classes, image.ignored, strict=True):
            if label >= 0:
                boxes.append({**_annotation(index, box, label), "iscrowd": int(ignored)})
                boxes[-1] |= {"id": len(boxes), "area": boxes[-1]["bbox"][2] * boxes[-1]["bbox"][3]}
    categories = [{"id": label, "name": str(label)} for label in range(num_classes)]
    known = COCO({"images": images, "annotations": boxes, "categories": categories})
    results = [
        {**_annotation(index, box, label), "score": float(score)}
        for index, image in enumerate(found)
        for box, label, score in zip(image.boxes, image.classes, image.scores, strict=True)
        if label >= 0
    ]
    return known, known.loadRes(results)


def _annotation(image: int, box: np.ndarray, label: int) -> dict[str, Any]:
    left, top, right, bottom = map(float, box)
    return {"image_id": image, "category_id": int(label), "bbox": [left, top, right - left, bottom - top]}
