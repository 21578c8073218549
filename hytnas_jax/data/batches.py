"""Which images each training step sees, as a function of the seed and the step alone."""

import functools

import numpy as np

from supernet.errors import UserError


def batches(seed: int, num: int, batch_size: int, *, step: int) -> np.ndarray:
    """Indices of the images that step `step` trains on: int64 [batch_size], each in 0..num-1.

    The steps read off one endless sequence: a new permutation of all images for each epoch, drawn
    from (seed, epoch). A resumed run therefore sees what an uninterrupted one does, every image is
    seen once an epoch, and a batch may run over an epoch's end (or be larger than the data set).

    Raises UserError where num, batch_size or step is out of range.
    """
    if num < 1 or batch_size < 1 or step < 0 or seed < 0:
        raise UserError(
            f"seed={seed}, num={num}, batch_size={batch_size}, step={step}: wanted num and batch_size at "
            "least 1, seed and step at least 0"
        )
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs, offsets = np.divmod(places, num)
    parts = [
        _permutation(seed, num, epoch)[offsets[epochs == epoch]]
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1)
    ]
    return np.concatenate(parts)


@functools.lru_cache(maxsize=4)
def _permutation(seed: int, num: int, epoch: int) -> np.ndarray:
    """Cached: drawing it anew for every step of an epoch would cost num operations a step."""
    permutation = np.random.default_rng([seed, epoch]).permutation(num)
    permutation.flags.writeable = False
    return permutation
