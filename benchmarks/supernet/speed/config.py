"""The flags of `benchmarks.supernet.speed`, and the work that they ask for."""

import dataclasses
from typing import Any

from benchmarks.supernet.speed.device import Device
from benchmarks.supernet.speed.rounds import COMPILED
from benchmarks.supernet.speed.workload import Workload
from hytnas_jax.training.evaluation_images import BATCH, NUM_CALIBRATION_BATCHES
from hytnas_jax.workspace.space_file import load_space
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare our supernet's speed with that of a PyTorch one."""

    space: str = "hybrid"
    """The search space: a built-in name or a file."""
    resolution: int = 48
    """Side of the images in pixels; one that the space has."""
    batch: int = 64
    """Images in a training step."""
    random_subnets: int = 2
    """Random networks trained in each step, beside the largest and the smallest."""
    validation_images: int = 512
    """Images that a subnet is evaluated on."""
    rounds: int = 8
    """How often each trains and evaluates, in turns."""
    steps: int = 4
    """Training steps in a round."""
    subnets: int = 16
    """Subnets evaluated in a round, as one population; never the same, but ours remembers what they share."""
    starts: int = 3
    """Fresh processes of each, for the first step and the memory."""
    checked: int = 8
    """Architectures whose outputs must be equal."""
    device: Device = "cpu"
    """Where both run; the results of a GPU have a file of their own, named _gpu."""
    compiled_peer: bool = False
    """Compare with the peer by torch.compile too; on a GPU that is always done. It compiles for minutes."""
    channels_last: bool = False
    """Give the peer its maps in PyTorch's channels-last order, not in the usual one."""
    quick: bool = False
    """See that it works: a small space and few of everything; overrules the flags of sizes and counts."""
    name: str = "supernet_speed"
    """Of the result's file."""

    @property
    def sides(self) -> dict[str, str]:
        """Side -> the name that `process` knows it by."""
        peers = ("peer", COMPILED) if self.compiled_peer or self.device == "gpu" else ("peer",)
        return {"ours": "ours", **{p: f"{p} channels-last" if self.channels_last else p for p in peers}}


QUICK: dict[str, Any] = {
    "space": "hybrid-small", "resolution": 12, "batch": 16, "validation_images": 64, "rounds": 3, "steps": 1,
    "subnets": 2, "starts": 1, "checked": 4,
}  # fmt: skip


def workload_of(config: Config) -> Workload:
    """What both are given. Raises UserError for what cannot be."""
    space = load_space(config.space)
    if config.resolution not in space.resolution:
        raise UserError(f"--resolution {config.resolution}: must be one of {list(space.resolution)}")
    batch = min(BATCH, config.validation_images)
    if config.validation_images % batch:
        raise UserError(f"--validation-images {config.validation_images}: must be a multiple of {batch}")
    return Workload(
        space=space.with_resolutions([config.resolution]),
        batch=config.batch,
        random_subnets=config.random_subnets,
        evaluation_batch=batch,
        calibration_batches=NUM_CALIBRATION_BATCHES,
        validation_images=config.validation_images,
        device=config.device,
    )
