"""Images to evaluate the subnets of the space of one stage by."""

import numpy as np
from one_stage_space import SPACE

from proxies.evaluation.base import EvaluationImages, in_batches
from supernet.architecture import Architecture

NUM_CLASSES = 3


def evaluation_images(resolution: int) -> EvaluationImages:
    """Two batches of four to calibrate by; seven images to evaluate by, and one place filled up."""
    rng = np.random.default_rng(resolution)
    shape = (resolution, resolution, 1)
    targets = {"label": np.array([0, 1, 2, 0, 1, 2, 0], np.int32)}
    batches = in_batches(rng.standard_normal((7, *shape)).astype(np.float32), targets, 4)
    return EvaluationImages(rng.standard_normal((2, 4, *shape)).astype(np.float32), *batches)


def drawn(resolution: int, count: int) -> list[Architecture]:
    codes = SPACE.canonical(SPACE.sample(np.random.default_rng(0), 200))
    members = dict.fromkeys(a for a in SPACE.decode_all(codes) if a.resolution == resolution)
    return list(members)[:count]
