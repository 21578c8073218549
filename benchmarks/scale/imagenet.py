"""How long does a supernet take on ImageNet with accelerators, and what limits it?

    python -m benchmarks.scale.imagenet

Arithmetic: multiply-accumulates and feature maps are counted, the machines' figures are their makers', and no
accelerator is used. What a processor core decodes is measured here.

A step trains the largest network, which teaches, the smallest and random ones. On an accelerator each of them
is computed at full width and masked, so that all cost what the largest does. Of each map that BatchNorm
follows a training step moves 14 times its bytes through the memory:

- forward 5: the convolution writes it, BatchNorm reads it twice and writes it, the next layer reads that;
- backward 9: BatchNorm reads the gradient and the map twice each and writes the gradient; the convolution
  reads the gradient twice and its input once, and writes a gradient.

Every other map takes 4: it is written and read, forward and backward.
"""

import dataclasses
import io
import math
import time
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import main, require_at_least, show
from benchmarks.supernet.speed.chip_ceilings import BY_KIND
from hytnas_jax.data.decode import ImageRule, read_image
from supernet import built_in_space
from supernet.graph import build_graph
from supernet.network_spec import NetworkSpec
from supernet.operations import Op
from supernet.sampling import sandwich

IMAGES = 1_281_167
BYTES = 2  # bfloat16
WITH_NORM, WITHOUT = 14, 4  # times that a map's bytes are moved
ALL_REDUCE = 20e-6  # seconds, of a few hundred bytes between chips of one host


@dataclasses.dataclass(frozen=True)
class Machine:
    """Of one chip by its maker: multiply-adds of bfloat16 as FLOP/s, bytes/s of its memory, bytes."""

    name: str
    chips: int
    flops: float
    bandwidth: float
    memory: float


_H100 = BY_KIND["NVIDIA H100 80GB HBM3"]
MACHINES = (
    Machine("8 H100 (SXM)", 8, _H100.flops_per_s, _H100.bytes_per_s, 80e9),
    Machine("TPU v5e-8", 8, 197e12, 0.819e12, 16e9),
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Count, and divide."""

    space: str = "hybrid"
    """A built-in search space."""
    resolution: int = 224
    """Of the images, in pixels."""
    epochs: int = 100
    """How often each image is seen."""
    random_subnets: int = 2
    """Beside the largest and the smallest."""
    compute_share: float = 0.3
    """The part of the peak FLOP/s that is taken to be reached."""
    bandwidth_share: float = 0.6
    """The part of the peak bytes/s that is taken to be reached."""
    batch_size: int = 1024
    """Images in a step, of all chips."""
    draws: int = 50
    """Networks of the space that are counted; of the largest, the kinds of blocks are drawn."""
    name: str = "imagenet_arithmetic"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """What a picture costs, what a core decodes, and what follows for each machine."""
    require_at_least(
        config, {"resolution": 32, "epochs": 1, "random_subnets": 1, "batch_size": 8, "draws": 1}
    )
    networks = _networks(config)
    counted = {kind: _means([counts(spec) for spec in specs]) for kind, specs in networks.items()}
    largest, subnets = counted["largest"], 2 + config.random_subnets
    decoded = _decoded_a_second(config.resolution)
    image = {
        "gflop": 2 * 3 * subnets * largest["macs"] / 1e9,  # forward, and twice that backward
        "megabytes_moved": subnets * largest["bytes_moved"] / 1e6,
        "megabytes_kept": largest["bytes_kept"] / 1e6,  # of one subnet after another
    }
    rows = [_on(machine, config, image, largest["norms"] * subnets, decoded) for machine in MACHINES]
    show(rows)
    return {
        "networks": counted,
        "image": image,
        "decoded_a_second": decoded,
        "machines": [
            {**dataclasses.asdict(machine), **row} for machine, row in zip(MACHINES, rows, strict=True)
        ],
    }


def _networks(config: Config) -> dict[str, list[NetworkSpec]]:
    """So many of the largest, of the smallest, and at random."""
    space = built_in_space(config.space).with_resolutions((config.resolution,))
    rng, found = np.random.default_rng(0), list[list[NetworkSpec]]()
    for _ in range(config.draws):
        drawn = sandwich(space, rng, num_random=1, resolution=config.resolution)
        found.append([space.network_spec(member, num_classes=1000) for member in drawn])
    return dict(zip(("largest", "smallest", "random"), map(list, zip(*found, strict=True)), strict=True))


def counts(spec: NetworkSpec) -> dict[str, float]:
    """Of a network and one image: multiply-accumulates, maps with BatchNorm, bytes of maps kept and moved."""
    ops = build_graph(spec).ops
    return {
        "macs": sum(op.num_macs for op in ops),
        "norms": sum(bool(op.norm) for op in ops),
        "bytes_kept": BYTES * sum(_elements(op) for op in ops),
        "bytes_moved": BYTES * sum((WITH_NORM if op.norm else WITHOUT) * _elements(op) for op in ops),
    }


def _elements(op: Op) -> int:
    """Of the map that an operation writes: an activation is computed where its input is written."""
    return 0 if op.is_view or op.kind == "activation" else math.prod(op.shape)


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _decoded_a_second(resolution: int) -> float:
    """JPEG images of 500 x 375 pixels that a core decodes and reduces to the resolution."""
    coarse = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    stored = io.BytesIO()
    Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC).save(stored, "JPEG", quality=90)
    rule, seconds = ImageRule(resolution, 3), list[float]()
    for _ in range(50):
        started = time.process_time()
        read_image(lambda: Image.open(io.BytesIO(stored.getvalue())), rule)
        seconds.append(time.process_time() - started)
    return 1 / float(np.median(seconds))


def _on(
    machine: Machine, config: Config, image: dict[str, float], norms: float, decoded: float
) -> dict[str, Any]:
    """What the counts come to on a machine."""
    seconds = {
        "FLOP": image["gflop"] * 1e9 / (config.compute_share * machine.flops),
        "memory bandwidth": image["megabytes_moved"] * 1e6 / (config.bandwidth_share * machine.bandwidth),
    }
    limit = max(seconds, key=seconds.__getitem__)
    step = config.batch_size / machine.chips * seconds[limit]
    reduced = 2 * norms * ALL_REDUCE  # statistics forward, and backward
    rate = config.batch_size / (step + reduced)
    return {
        "machine": machine.name,
        "limited by": limit,
        "images a second": round(rate),
        "hours": round(config.epochs * IMAGES / rate / 3600, 1),
        "share of a step for BatchNorm's sums": round(reduced / (step + reduced), 2),
        "most images on a chip": int(0.8 * machine.memory / (2e6 * image["megabytes_kept"])),
        "cores that decode": math.ceil(rate / decoded),
    }


if __name__ == "__main__":
    main(benchmark, Config)
