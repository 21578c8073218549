"""What a supernet computes on JAX's device, for a comparison with another one.

`equality` starts it as a process of its own, in which JAX has the processor alone, with the pickled `Sizes`
on standard input; the last line that it prints is its numbers as JSON.
"""

import json
import pickle
import sys
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.on_gpu.sizes import Sizes
from benchmarks.supernet.speed.ours import Ours
from hytnas_jax.runtime.preparation import prepare_process

Numbers = dict[str, Any]


def numbers(sizes: Sizes) -> Numbers:
    """Of some training steps the losses [K] and the gradient's norm, in float32; `evaluated` for the rest."""
    workload = sizes.workload(batch=sizes.compared_batch)
    with jax.default_matmul_precision("highest"):  # else a GPU rounds the factors of a product to TF32
        ours = Ours(workload, exact=True)
        found = evaluated(ours, sizes)
        steps = [
            ours.train(ours.put(*workload.training_batch(number)), workload.subnets(number))
            for number in range(sizes.compared_steps)
        ]
    return {
        "losses": [losses.tolist() for losses, _ in steps],
        "gradient norms": [norm for _, norm in steps],
        **found,
    }


def evaluated(ours: Ours, sizes: Sizes) -> Numbers:
    """Error rates and mean cross-entropies, in nats, of random subnets with the weights at the start."""
    workload = sizes.workload(batch=sizes.compared_batch)
    found = ours.estimate(workload.evaluated(sizes.compared_subnets, 0))
    return {"errors": found.values.tolist(), "nats": found.details["loss"].tolist()}


def difference(ours: Sequence[Any], others: Sequence[Any], *, relative: bool) -> float | None:
    """The largest one; None where one of them is not finite, which equals nothing."""
    a, b = np.array(ours, float), np.array(others, float)
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(a / b - 1) if relative else np.abs(a - b)))
    return largest if np.isfinite(largest) else None


if __name__ == "__main__":
    prepare_process()
    print(json.dumps(numbers(pickle.load(sys.stdin.buffer))))
