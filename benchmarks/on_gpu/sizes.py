"""How large the parts of `benchmarks.on_gpu` are: on a GPU, and for a look on a processor whether they run.

Imports no JAX and no PyTorch.
"""

import dataclasses
from pathlib import Path

from benchmarks.supernet.speed.config import Config as SpeedConfig
from benchmarks.supernet.speed.config import workload_of
from benchmarks.supernet.speed.device import Device
from benchmarks.supernet.speed.rounds import INDUCTOR
from benchmarks.supernet.speed.workload import Workload


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """Of all parts. `space` has `resolution`; `batch` images make a training step."""

    device: Device
    space: str
    resolution: int
    batch: int
    validation_images: int
    steps: int  # of training in a round, beside the peer
    rounds: int  # at most
    subnets: int  # evaluated in a round
    backend: str  # of torch.compile
    steps_in_a_row: int  # that are not waited for one by one
    compared_batch: int  # images in a training step that a processor makes too
    compared_steps: int
    compared_subnets: int
    populations: tuple[int, ...]  # the important ones first
    matmul_side: int
    copied_bytes: int
    epochs: int  # of the main job's supernet
    epochs_on_digits: int
    retrain_epochs: int
    evaluations: int  # of its search
    networks: int  # whose latency is measured
    count: int  # retrained at most
    max_images: int | None  # that are trained on

    def workload(self, *, batch: int | None = None) -> Workload:
        """What is trained and evaluated; `batch` images a step, or as many as usual."""
        return workload_of(
            SpeedConfig(
                space=self.space,
                resolution=self.resolution,
                batch=batch or self.batch,
                validation_images=self.validation_images,
                device=self.device,
            )
        )


FULL = Sizes(
    device="gpu",
    space="hybrid",
    resolution=48,
    batch=256,
    validation_images=512,
    steps=10,
    rounds=8,
    subnets=64,
    backend=INDUCTOR,
    steps_in_a_row=20,
    compared_batch=32,
    compared_steps=5,
    compared_subnets=16,
    populations=(64, 8, 1, 128, 16, 256, 32, 512),
    matmul_side=8192,
    copied_bytes=2**30,
    epochs=10,
    epochs_on_digits=30,
    retrain_epochs=12,
    evaluations=40,
    networks=24,
    count=4,
    max_images=None,
)
SMOKE = Sizes(
    device="cpu",
    space=str(Path(__file__).with_name("smoke.yaml")),
    resolution=8,
    batch=4,
    validation_images=8,
    steps=1,
    rounds=1,
    subnets=2,
    backend="eager",  # what Inductor does takes minutes
    steps_in_a_row=2,
    compared_batch=4,
    compared_steps=2,
    compared_subnets=2,
    populations=(2, 1),
    matmul_side=64,
    copied_bytes=2**16,
    epochs=1,
    epochs_on_digits=1,
    retrain_epochs=1,
    evaluations=4,
    networks=10,
    count=1,
    max_images=64,
)
