"""Whether both supernets of `benchmarks.supernet.speed` do the same work: with equal weights, equal
numbers."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.supernet.speed.ours import Ours
from benchmarks.supernet.speed.peer import Peer
from benchmarks.supernet.speed.torch_training import calibrate as calibrate_peer
from benchmarks.supernet.speed.workload import Contender, Workload
from supernet.calibration import calibrate
from supernet.supernet import Control, controls

TOLERANCE = 1e-3


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """float32 products in float32 on a GPU too, where both libraries take TF32 by themselves."""
    with jax.default_matmul_precision("highest"), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


class NotTheSame(RuntimeError):
    """The two do not compute the same: a comparison of their speeds would mean nothing."""


def check_equality(ours: Ours, peer: Peer, workload: Workload, *, num_architectures: int) -> dict[str, float]:
    """The largest differences, of logits (absolute) and of one training step (relative).

    Logits: of the largest, the smallest and random architectures, normalised by the batch as in training, and
    by recalibrated statistics as in evaluation. The step: losses and gradient norm. Trains both by one step.

    Raises:
      NotTheSame: one of them is above TOLERANCE.
    """
    subnets = workload.subnets(0)
    architectures = subnets[:2] + workload.evaluated(max(0, num_architectures - 2), 0)
    images, labels = workload.training_batch(0)
    as_tensor = peer.images(images)
    forward, control = _our_outputs(ours, jnp.asarray(images)), controls(workload.space, architectures)
    largest, differences = 0.0, {"logits in training": 0.0, "logits in evaluating": 0.0}
    for index, architecture in enumerate(architectures):
        wanted = jax.device_get(forward(control.at(index)))
        with torch.no_grad():
            peer.network.train()
            in_training = peer.network(as_tensor, architecture).cpu().numpy()
            calibrate_peer(peer.network, [as_tensor], architecture)
            peer.network.eval()
            in_evaluation = peer.network(as_tensor, architecture).cpu().numpy()
        for name, ours_, theirs in zip(differences, wanted, (in_training, in_evaluation), strict=True):
            differences[name] = max(differences[name], float(np.abs(ours_ - theirs).max()))
            largest = max(largest, float(np.abs(ours_).max()))
    contenders: tuple[Contender, Contender] = (ours, peer)
    (our_losses, our_norm), (losses, norm) = (
        side.train(side.put(images, labels), subnets) for side in contenders
    )
    differences["losses"] = float(np.max(np.abs(losses / our_losses - 1)))
    differences["gradient norm"] = abs(norm / our_norm - 1)
    if not max(differences.values()) < TOLERANCE:  # NaN neither
        raise NotTheSame(f"the two supernets differ by more than {TOLERANCE}: {differences}")
    return {**differences, "largest logit": largest, "architectures": len(architectures)}


def _our_outputs(ours: Ours, images: jax.Array) -> Any:
    """`forward(control)` -> logits in training and in evaluating, calibrated on the same images."""

    @jax.jit
    def forward(control: Control) -> tuple[jax.Array, jax.Array]:
        model, params = ours.model, ours.params
        blank = model.no_stats()
        in_training, _ = model.apply(params, blank, images, control, train=True)
        stats = calibrate(model, params, blank, images[None], control)
        return in_training, model.apply(params, stats, images, control, train=False)[0]

    return forward
