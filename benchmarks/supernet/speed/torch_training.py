"""Training and evaluating the peer: the recipe of `supernet.training` and the evaluation of
`supernet_accuracy`.

The sandwich and in-place distillation as BigNAS and AlphaNet write them: one forward and one backward pass
after the other, whose gradients add up. Letters: B batch, C channels, H W images, K subnets in a step.
"""

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.supernet.speed.torch_supernet import TorchSupernet
from supernet.architecture import Architecture


@dataclasses.dataclass(frozen=True, kw_only=True)
class TorchRecipe:
    """The fields and defaults of `supernet.training.Recipe`, which imports JAX."""

    num_steps: int
    learning_rate: float = 1e-2
    warmup_steps: int = 50
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    ema_decay: float = 0.99

    def schedule(self, step: int) -> float:
        """Share of the peak learning rate at a step: linear from a tenth, then half a cosine to 0."""
        warmup = min(self.warmup_steps, max(1, self.num_steps // 5))
        if step < warmup:
            return 0.1 + 0.9 * step / warmup
        progress = (step - warmup) / max(self.num_steps - warmup, 1)
        return 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


class TorchTrainer:
    """A peer in training: the network, AdamW, the average of the weights."""

    def __init__(self, network: TorchSupernet, recipe: TorchRecipe):
        self.network = network
        self._recipe = recipe
        self._params: list[Tensor] = list(network.parameters())
        named = list(network.named_parameters())
        # As with us, a weight that no subnet used has gradient 0: AdamW's moments fade and it decays.
        for parameter in self._params:
            parameter.grad = torch.zeros_like(parameter)
        kernels = [p for name, p in named if name.endswith("kernel")]
        others = [p for name, p in named if not name.endswith("kernel")]
        self._optimizer = torch.optim.AdamW(
            [{"params": kernels, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0}],
            lr=recipe.learning_rate,
            fused=True,  # one call for all parameters, PyTorch's quickest
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, recipe.schedule)
        self.ema = [parameter.detach().clone() for parameter in self._params]
        self._step = 0

    def step(
        self, images: Tensor, labels: Tensor, architectures: Sequence[Architecture]
    ) -> tuple[list[Tensor], Tensor]:
        """One optimiser step on images [B, C, H, W]: K losses in nats and the gradient's norm.

        The first architecture learns the smoothed labels, the others the first one's output.
        """
        self.network.train()
        self._optimizer.zero_grad(set_to_none=False)
        losses: list[Tensor] = []
        taught: Tensor | None = None
        for architecture in architectures:
            logits = self.network(images, architecture)
            if taught is None:
                loss = functional.cross_entropy(logits, labels, label_smoothing=self._recipe.label_smoothing)
                taught = logits.detach().softmax(-1)
            else:
                loss = functional.cross_entropy(logits, taught)
            loss.backward()
            losses.append(loss.detach())
        norm = torch.nn.utils.clip_grad_norm_(self._params, 1.0)
        self._optimizer.step()
        self._schedule.step()
        decay = min(self._recipe.ema_decay, (1 + self._step) / (10 + self._step))
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, self._params, 1 - decay)
        self._step += 1
        return losses, norm


@torch.inference_mode()
def calibrate(network: TorchSupernet, batches: Sequence[Tensor], architecture: Architecture) -> None:
    """Set every BatchNorm's statistics to those of batches [B, C, H, W] in this subnet."""
    network.train()
    norms = network.batch_norms()
    for norm in norms:
        norm.start_collecting()
    for images in batches:
        network(images, architecture)
    for norm in norms:
        norm.stop_collecting()


@torch.inference_mode()
def evaluate(
    network: TorchSupernet,
    calibration: Sequence[Tensor],
    images: Sequence[Tensor],
    labels: Tensor,
    architecture: Architecture,
) -> tuple[float, float]:
    """Error rate and mean cross-entropy in nats on N batches [B, C, H, W] and labels [N, B]."""
    calibrate(network, calibration, architecture)
    network.eval()
    wrong, nats = (torch.zeros((), device=labels.device) for _ in range(2))
    for batch, truth in zip(images, labels, strict=True):
        logits = network(batch, architecture)
        wrong += (logits.argmax(-1) != truth).sum()
        nats += functional.cross_entropy(logits, truth, reduction="sum")
    return float(wrong) / labels.numel(), float(nats) / labels.numel()
