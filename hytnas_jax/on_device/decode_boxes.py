"""The best boxes of a detector's output, with nothing but NumPy.

Letters: h w the cells of an output, K classes, D boxes.
"""

import numpy as np

MOST_CANDIDATES = 256
MOST_BOXES = 100
SAME_OBJECT_IOU = 0.6  # above it, the lower of two boxes of a class is dropped
RAW_RANGE = (-5.0, 5.0)  # the logarithm of a distance in cells


def decode_boxes(output: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes [D, 4], scores [D] in 0..1 and classes [D] of a raw output [h, w, K + 4], the best first.

    A box is left, top, right, bottom in 0..1 of the image's sides. The output's last 4 are the logarithms of
    the distances, in cells, from the centre of a cell to these sides of its box.
    """
    height, width, channels = output.shape
    num_classes = channels - 4
    logits = output[..., :num_classes].astype(np.float32).reshape(-1)
    index = np.argsort(-logits, kind="stable")[:MOST_CANDIDATES]
    cells, classes = np.divmod(index, num_classes)
    distances = np.exp(np.clip(output.reshape(-1, channels)[cells, num_classes:], *RAW_RANGE))
    middle = np.stack([cells % width, cells // width], -1) + np.float32(0.5)
    boxes = np.concatenate([middle - distances[:, :2], middle + distances[:, 2:]], -1)
    boxes = np.clip(boxes / np.array([width, height] * 2, np.float32), 0, 1).astype(np.float32)
    kept = suppress(boxes, classes)[:MOST_BOXES]
    scores = 0.5 + 0.5 * np.tanh(0.5 * logits[index[kept]])  # the sigmoid, without overflow
    return boxes[kept], scores, classes[kept]


def suppress(boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Indices of the boxes [C, 4] that stay, where each drops the later ones of its class on the same
    object."""
    left = np.arange(len(boxes))
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        same = (classes[left] == classes[first]) & (overlap(boxes[first], boxes[left]) > SAME_OBJECT_IOU)
        left = left[~same]
    return np.array(kept, int)


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union [C] of a box [4] with boxes [C, 4]."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), -1)
    union = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], -1) - shared
    return shared / np.maximum(union, 1e-12)
