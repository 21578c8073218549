"""What evaluating a subnet costs in the supernet, beside a program compiled for that subnet alone.

    python -m benchmarks.supernet.evaluation_cost

Small, middle and large subnets of a space (by MACs), evaluated with nothing remembered of others: calibration
and validation images through the supernet's parts, and through the sliced stand-alone network, in turns. The
target is a ratio of at most 1.5 for all of them.
"""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np

from benchmarks.common import least_seconds, main, require_at_least
from benchmarks.supernet.speed.config import Config as SpeedConfig
from benchmarks.supernet.speed.config import workload_of
from hytnas_jax import console
from proxies.complexity import num_macs
from proxies.evaluation.alone import summarise_alone
from proxies.evaluation.base import EvaluationImages
from proxies.evaluation.classification import CLASSIFICATION
from proxies.supernet_accuracy import SupernetError
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.network import stand_alone
from supernet.subnet import slice_subnet
from supernet.supernet import supernet

NUM_DRAWN = 400


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the cost of evaluating in the supernet with that of stand-alone programs."""

    space: str = "hybrid"
    """The search space: a built-in name or a file."""
    resolution: int = 48
    """Side of the images in pixels; one that the space has."""
    networks: int = 7
    """Subnets, evenly spread over the MACs of random ones, the smallest and the largest corner among them."""
    rounds: int = 5
    """How often each is evaluated by both, in turns; the least time counts."""
    name: str = "evaluation_cost"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print the table."""
    require_at_least(config, {"networks": 2, "rounds": 1})
    workload = workload_of(SpeedConfig(space=config.space, resolution=config.resolution))
    images = jax.device_put(workload.evaluation_images())
    space = workload.space
    model = supernet(space, channels=workload.channels, num_classes=workload.num_classes)
    params, stats = model.init(jax.random.key(0))
    macs = num_macs(functools.partial(space.network_spec, num_classes=workload.num_classes))
    in_supernet = SupernetError(space, model, params, lambda _: images, kept_bytes=0)
    rows, ratios = [], []
    for architecture, cost in spread(space, macs, config.networks):
        alone = stand_alone_evaluator(slice_subnet(space, architecture, params, stats))
        evaluates = {"supernet": lambda a=architecture: in_supernet([a]), "alone": lambda j=alone: j(images)}
        seconds = list(least_seconds(evaluates, config.rounds).values())
        ratios.append(seconds[0] / seconds[1])
        rows.append((architecture.name, round(cost / 1e6, 2), *np.round(seconds, 3).tolist(), ratios[-1]))
        console.say(f"{architecture.name}: {ratios[-1]:.2f}")
    header = ("network", "MACs in M", "s in the supernet", "s alone", "ratio")
    console.table([(*row[:-1], round(row[-1], 2)) for row in rows], header)
    return {
        "rows": [dict(zip(header, row, strict=True)) for row in rows],
        "median ratio": float(np.median(ratios)),
        "largest ratio": max(ratios),
    }


def spread(space: Any, macs: Any, count: int) -> list[tuple[Architecture, float]]:
    """`count` networks at evenly spread ranks of the MACs of random ones and the space's corners."""
    codes = np.concatenate([space.sample(np.random.default_rng(0), NUM_DRAWN), space.corners()])
    members = space.decode_all(codes)
    costs = macs(members)
    places = np.argsort(costs)[np.linspace(0, len(costs) - 1, count).round().astype(int)]
    return [(members[place], float(costs[place])) for place in places]


def stand_alone_evaluator(sliced: tuple[Any, Any, Any]) -> Any:
    """One compiled program: calibrates and evaluates the network of `slice_subnet`."""
    spec, params, stats = sliced
    model = stand_alone(spec)

    @jax.jit
    def evaluate(params: Any, images: EvaluationImages) -> Any:
        own = calibrate(model, params, stats, images.calibration)
        return summarise_alone(model, params, own, images, CLASSIFICATION)

    return lambda images: jax.block_until_ready(evaluate(params, images))


if __name__ == "__main__":
    main(benchmark, Config)
