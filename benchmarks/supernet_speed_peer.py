"""The PyTorch peer as `supernet_speed` runs it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from supernet_speed_workload import Workload
from torch import Tensor
from torch_layers import load_params
from torch_supernet import TorchSupernet
from torch_training import TorchRecipe, TorchTrainer, judge

from supernet.architecture import Architecture


class Peer:
    """`Contender` in PyTorch, float32 on the processor. `params` are ours; without, it draws its own."""

    def __init__(
        self, workload: Workload, *, channels_last: bool = False, params: Mapping[str, Any] | None = None
    ):
        torch.manual_seed(0)
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = TorchSupernet(
            workload.space, channels=workload.channels, num_classes=workload.num_classes
        )
        if params is not None:
            load_params(self.network, params)
        self._trainer = TorchTrainer(self.network, TorchRecipe(num_steps=workload.num_steps))
        self._workload = workload
        self._judging: tuple[list[Tensor], list[Tensor], Tensor] | None = None

    def put(self, images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
        return self.pictures(images), torch.from_numpy(labels).long()

    def train(self, batch: tuple[Tensor, Tensor], subnets: list[Architecture]) -> tuple[np.ndarray, float]:
        losses, norm = self._trainer.step(*batch, subnets)
        return torch.stack(losses).numpy(), float(norm)

    def judge(self, architectures: list[Architecture]) -> np.ndarray:
        if self._judging is None:
            calibration, images, labels = self._workload.judging()
            prepared = [[self.pictures(batch) for batch in batches] for batches in (calibration, images)]
            self._judging = (prepared[0], prepared[1], torch.from_numpy(labels).long())
        return np.array([judge(self.network, *self._judging, a)[0] for a in architectures])

    def pictures(self, images: np.ndarray) -> Tensor:
        """[B, R, R, C] as [B, C, R, R] in the memory format of this run."""
        return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=self._format)
