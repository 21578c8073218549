"""The PyTorch peer as `benchmarks.supernet.speed` runs it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.supernet.speed.device import torch_device
from benchmarks.supernet.speed.torch_layers import load_params
from benchmarks.supernet.speed.torch_supernet import TorchSupernet
from benchmarks.supernet.speed.torch_training import TorchRecipe, TorchTrainer, evaluate
from benchmarks.supernet.speed.workload import Workload
from supernet.architecture import Architecture


class Peer:
    """`Contender` in PyTorch: bfloat16 by autocast on a GPU unless `exact`, else float32.

    `params` are ours; without, it draws its own. `compiled` is the backend of `torch.compile`; without, it is
    eager.
    """

    def __init__(
        self,
        workload: Workload,
        *,
        channels_last: bool = False,
        compiled: str | None = None,
        exact: bool = False,
        params: Mapping[str, Any] | None = None,
    ):
        torch.manual_seed(0)
        self._device = torch_device(workload.device)
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = TorchSupernet(
            workload.space,
            channels=workload.channels,
            num_classes=workload.num_classes,
            dtype=torch.float32 if exact or workload.device == "cpu" else torch.bfloat16,
        ).to(self._device)
        if compiled is not None:
            self.network.compile_blocks(compiled)
        if params is not None:
            load_params(self.network, params)
        self._trainer = TorchTrainer(self.network, TorchRecipe(num_steps=workload.num_steps))
        self._workload = workload
        self._evaluation: tuple[list[Tensor], list[Tensor], Tensor] | None = None

    def put(self, images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
        return self.images(images), self._labels(labels)

    def train(self, batch: tuple[Tensor, Tensor], subnets: list[Architecture]) -> tuple[np.ndarray, float]:
        losses, norm = self._trainer.step(*batch, subnets)
        if self._device == "cuda":
            torch.cuda.synchronize()
        return torch.stack(losses).cpu().numpy(), float(norm)

    def evaluate(self, architectures: list[Architecture]) -> np.ndarray:
        if self._evaluation is None:
            calibration, images, labels = self._workload.evaluating()
            prepared = [[self.images(batch) for batch in batches] for batches in (calibration, images)]
            self._evaluation = (prepared[0], prepared[1], self._labels(labels))
        return np.array([evaluate(self.network, *self._evaluation, a)[0] for a in architectures])

    def images(self, images: np.ndarray) -> Tensor:
        """[B, R, R, C] as [B, C, R, R] on the device, in the memory format of this run."""
        on_device = torch.from_numpy(images).to(self._device)
        return on_device.permute(0, 3, 1, 2).contiguous(memory_format=self._format)

    def _labels(self, labels: np.ndarray) -> Tensor:
        return torch.from_numpy(labels).long().to(self._device)


def compiling() -> dict[str, float]:
    """What `torch.compile` has done in this process so far, and its limit of variants of a kind of block.

    Imports its parts only here: eager PyTorch does without them.
    """
    from torch._dynamo import config as dynamo_config
    from torch._dynamo import utils as dynamo_utils

    frames, stats = (dynamo_utils.counters[kind] for kind in ("frames", "stats"))
    return {
        "graphs": stats["unique_graphs"],
        "frames tried": frames["total"],
        "frames compiled": frames["ok"],
        "seconds": dynamo_utils.calculate_time_spent()["total_wall_time"],
        "recompile limit": dynamo_config.recompile_limit,
    }
