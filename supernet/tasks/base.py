"""What a task teaches: the boundary between training, which knows no labels, and what networks are for.

Letters: B batch, K subnets in a step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

# Pytrees of arrays [B, ...]: what a data set says of its images, and what a loss compares outputs with.
Targets = Any
Dense = Any


class Lesson(NamedTuple):
    """Pure functions, traced into the training step.

    Attributes:
      encode: (targets, shape) -> dense, once a step; `shape` is that of one image's output.
      loss: (output [B, ...], dense) -> [], in nats.
      teach: (output, dense) -> dense: what the first subnet of a step hands the others to learn.
      share: (output, targets) -> [] in 0..1, for the progress bar: how much is right.
    """

    encode: Callable[[Targets, tuple[int, ...]], Dense]
    loss: Callable[[jax.Array, Dense], jax.Array]
    teach: Callable[[jax.Array, Dense], Dense]
    share: Callable[[jax.Array, Targets], jax.Array]
