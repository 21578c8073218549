"""Average precision by pycocotools, which the project's own is compared with."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def coco_precisions(found: Sequence[Any], truth: Sequence[Any], num_classes: int) -> np.ndarray:
    """AP by class and threshold, [K, 10], NaN for a class without truth boxes.

    An image's `found` is (boxes [D, 4], scores [D], classes [D]), its `truth` (boxes, classes, ignored).
    """
    annotations: list[dict] = []
    for image, (boxes, classes, ignored) in enumerate(truth):
        for box, label, crowd in zip(boxes, classes, ignored, strict=True):
            if label >= 0:
                corners = [*box[:2], *(box[2:] - box[:2])]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": int(label),
                        "bbox": [float(value) for value in corners],
                        "area": 1.0,
                        "iscrowd": int(crowd),
                    }
                )
    results = [
        [image, *box[:2], *(box[2:] - box[:2]), score, label]
        for image, (boxes, scores, classes) in enumerate(found)
        for box, score, label in zip(boxes, scores, classes, strict=True)
        if label >= 0
    ]
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": image} for image in range(len(truth))],
        "annotations": annotations,
        "categories": [{"id": label} for label in range(num_classes)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(np.array(results, np.float64)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # [T, 101, K]
    return np.where(precision < 0, np.nan, precision).mean(1).T


def random_truth(
    rng: np.random.Generator, images: int, most: int, num_classes: int
) -> tuple[np.ndarray, ...]:
    """Boxes [images, most, 4], classes, -1 where there is none, and ignored [images, most]."""
    low = rng.random((images, most, 2)) * 0.7
    boxes = np.concatenate([low, low + 0.05 + rng.random((images, most, 2)) * (0.9 - low)], -1)
    classes = np.where(rng.random((images, most)) < 0.7, rng.integers(0, num_classes, (images, most)), -1)
    return boxes.astype(np.float32), classes.astype(np.int32), rng.random((images, most)) < 0.15


def random_found(
    rng: np.random.Generator, truth: tuple[np.ndarray, ...], num_classes: int, extra: int
) -> tuple[np.ndarray, ...]:
    """Boxes, scores and classes [images, 2 most + extra] that find much of the truth, some of it twice."""
    boxes, classes, _ = truth
    images, most = classes.shape
    near = [boxes + rng.normal(0, scale, boxes.shape) for scale in (0.01, 0.03)]
    low = rng.random((images, extra, 2)) * 0.7
    near.append(np.concatenate([low, low + 0.1 + rng.random((images, extra, 2)) * 0.2], -1))
    made = np.clip(np.concatenate(near, 1), 0, 1)
    made[..., 2:] = np.maximum(made[..., 2:], made[..., :2] + 0.01)
    count = 2 * most + extra
    label = np.concatenate([classes, classes, rng.integers(0, num_classes, (images, extra))], 1)
    missed = rng.random((images, count)) < 0.25
    good = np.concatenate([np.ones((images, 2 * most)), np.zeros((images, extra))], 1)
    scores = 1 / (1 + np.exp(-rng.normal(2 * good - 1.5, 1.5)))
    order = np.argsort(-np.where(missed | (label < 0), 0, scores), 1, kind="stable")
    label = np.where(missed, -1, label)
    made, scores, label = (
        np.take_along_axis(array, order[..., None] if array.ndim == 3 else order, 1)
        for array in (made, scores, label)
    )
    return made.astype(np.float32), np.where(label < 0, 0, scores).astype(np.float32), label.astype(np.int32)
