"""How long it takes to make boxes, or a mask, of a network's output: what `infer.py` does after the model."""

import time
from collections.abc import Callable

import numpy as np

OUTPUTS = 16  # of so many images at most
ROUNDS = 5


def decoding_ms(decode: Callable[[np.ndarray, int], object], outputs: np.ndarray, side: int) -> float:
    """The median time in ms of decoding one of these outputs [N, h, w, ...] of images of that side.

    Each of the first `OUTPUTS` is decoded in every round; the first round only warms up.
    """
    times = []
    for number in range(ROUNDS + 1):
        for output in outputs[:OUTPUTS]:
            begun = time.perf_counter()
            decode(output, side)
            if number:
                times.append(1000 * (time.perf_counter() - begun))
    return float(np.median(times))
