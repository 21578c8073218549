"""What does evaluating a subnet's AP or mIoU cost beside running the subnet?

    python -m benchmarks.supernet.scoring_cost

Outputs of 500 images at 128 pixels are drawn at random, and so is what lies in them. Timed is the compiled
program that sums up what a score needs, and the score; beside them the exact AP by COCO's rules, which
networks get once they are retrained.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.common import least_seconds, main, require_at_least, show
from hytnas_jax.tasks import VisionTask, vision_task
from proxies.evaluation.base import in_batches

BATCH, SIDE, BOXES = 128, 128, 20


@dataclasses.dataclass(frozen=True)
class Config:
    """Time the scoring of detection and segmentation."""

    images: int = 500
    """How many images are evaluated."""
    classes: tuple[int, ...] = (1, 3, 20)
    """Numbers of classes."""
    rounds: int = 5
    """Of which the least time counts."""
    name: str = "scoring_cost"
    """Of the result."""


def benchmark(config: Config) -> dict[str, Any]:
    """A row for each task and number of classes."""
    require_at_least(config, {"images": 1, "rounds": 1})
    rows = []
    for count in config.classes:
        for task, outputs, targets in (
            drawn_boxes(config.images, count),
            drawn_masks(config.images, count + 1),
        ):
            scored = scoring(task, outputs, targets)
            exactly = functools.partial(task.examine, [(outputs, targets)])
            taken = {
                **least_seconds({"scored_s": scored}, config.rounds),
                **least_seconds({"exact_s": exactly}, 1),
            }
            classes = task.class_logits(outputs).shape[-1]
            rows.append({"task": task.name, "classes": classes, **taken})
    show(rows)
    return {"images": config.images, "side": SIDE, "boxes_of_an_image": BOXES, "costs": rows}


def scoring(task: VisionTask, outputs: np.ndarray, targets: dict[str, np.ndarray]) -> Callable[[], Any]:
    """What scores the outputs, with a program that its first call compiles."""
    batches = in_batches(outputs, targets, min(BATCH, len(outputs)))
    summarise = jax.jit(task.scoring.summarise)
    return lambda: task.scoring.score(jax.device_get(summarise(*batches)))


def drawn_boxes(images: int, num_classes: int) -> tuple[VisionTask, np.ndarray, dict[str, np.ndarray]]:
    """Outputs with a few hundred scores above the least, and boxes to find."""
    rng = np.random.default_rng(0)
    outputs = rng.normal(-2, 1.5, (images, SIDE // 8, SIDE // 8, num_classes + 4)).astype(np.float32)
    corner = rng.uniform(0, 0.7, (images, BOXES, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.05, 0.3, corner.shape)], -1).astype(np.float32)
    classes = rng.integers(0, num_classes, (images, BOXES)).astype(np.int32)
    targets = {"boxes": boxes, "classes": classes, "ignored": np.zeros(classes.shape, bool)}
    return vision_task("detection", num_classes), outputs, targets


def drawn_masks(images: int, num_classes: int) -> tuple[VisionTask, np.ndarray, dict[str, np.ndarray]]:
    """Outputs for each cell of 4 by 4 pixels, and masks."""
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(images, SIDE // 4, SIDE // 4, num_classes)).astype(np.float32)
    masks = rng.integers(0, num_classes, (images, SIDE, SIDE)).astype(np.uint8)
    return vision_task("segmentation", num_classes, (1.0,) * num_classes), outputs, {"mask": masks}


if __name__ == "__main__":
    main(benchmark, Config)
