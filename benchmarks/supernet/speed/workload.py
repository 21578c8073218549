"""What both supernets of `benchmarks.supernet.speed` are given: images, batches, architectures, all from
seeds.

Imports no JAX and no PyTorch. Letters: B batch, N batches, R resolution, C channels.
"""

import dataclasses
from typing import Any, Protocol

import numpy as np

from benchmarks.supernet.speed.device import Device
from proxies.evaluation.base import EvaluationImages
from supernet.architecture import Architecture
from supernet.sampling import sandwich
from supernet.search_space import SearchSpace

# One random stream for each purpose.
TRAINING, SUBNETS, EVALUATED, CALIBRATION, SEARCH = range(5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """The work of one run. `space` has one resolution; `batch` images make a training step.

    A subnet is evaluated on `validation_images` after calibration by `calibration_batches`, in batches of
    `evaluation_batch`.
    """

    space: SearchSpace
    batch: int
    random_subnets: int
    evaluation_batch: int
    calibration_batches: int
    validation_images: int
    device: Device = "cpu"
    num_steps: int = 1000  # of the learning rate's schedule
    num_classes: int = 10
    channels: int = 3

    @property
    def resolution(self) -> int:
        return self.space.resolution[0]

    def training_batch(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """float32 [B, R, R, C] and int32 [B]."""
        return self._images(self.batch, TRAINING, number)

    def subnets(self, number: int) -> list[Architecture]:
        """The sandwich of training step `number`; its first is the teacher."""
        rng = np.random.default_rng([SUBNETS, number])
        return sandwich(self.space, rng, num_random=self.random_subnets, resolution=self.resolution)

    def evaluated(self, count: int, number: int) -> list[Architecture]:
        """`count` random architectures to evaluate in round `number`."""
        return self.space.decode_all(self.space.sample(np.random.default_rng([EVALUATED, number]), count))

    def evaluating(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Calibration and validation images float32 [N, B, R, R, C], and the latter's labels int32 [N, B]."""
        batch = self.evaluation_batch
        calibration, _ = self._images(self.calibration_batches * batch, CALIBRATION, 0)
        images, labels = self._images(self.validation_images, SEARCH, 0)
        calibration, images = (a.reshape(-1, batch, *a.shape[1:]) for a in (calibration, images))
        return calibration, images, labels.reshape(-1, batch)

    def evaluation_images(self) -> EvaluationImages:
        """The same for our estimators."""
        calibration, images, labels = self.evaluating()
        return EvaluationImages(calibration, images, {"label": labels}, np.ones(labels.shape, bool))

    def _images(self, count: int, *seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Noise: no layer's time depends on what is to be seen."""
        rng = np.random.default_rng(seed)
        shape = (count, self.resolution, self.resolution, self.channels)
        labels = rng.integers(0, self.num_classes, count, dtype=np.int32)
        return rng.standard_normal(shape, dtype=np.float32), labels


class Contender(Protocol):
    """One of the two supernets. Every call has ended its work when it returns."""

    def put(self, images: np.ndarray, labels: np.ndarray) -> Any:
        """A training batch as `train` wants it; not timed."""

    def train(self, batch: Any, subnets: list[Architecture]) -> tuple[np.ndarray, float]:
        """One optimiser step: the subnets' losses in nats, and the gradient's norm."""

    def evaluate(self, architectures: list[Architecture]) -> np.ndarray:
        """Error rates, BatchNorm recalibrated for each architecture."""
