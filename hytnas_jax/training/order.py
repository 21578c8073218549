"""Which images each step of a training sees."""

import dataclasses

import numpy as np

from hytnas_jax.data import batches


@dataclasses.dataclass(frozen=True)
class Order:
    """A function of the step and of the attempt alone: the same in all processes, and after a resume."""

    seed: int
    num_images: int
    batch_size: int
    num_steps: int

    def at(self, number: int, attempt: int) -> np.ndarray:
        """The images of a step, int64 [batch_size]. A new attempt after a roll-back has others."""
        return batches(self.seed + attempt, self.num_images, self.batch_size, step=number)
