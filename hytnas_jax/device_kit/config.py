"""The flags of `device_kit`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.format_names import RuntimeName, check_runtimes
from hytnas_jax.shared_flags.ranges import MOST_NETWORKS, SEED, check_ranges, within
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Write networks and a script that measures them on a device without JAX."""

    workdir: Path
    """The work folder; train_supernet has begun it."""
    output: Path
    """Folder of the kit; it must not be there yet."""
    runtime: RuntimeName = "onnxruntime"
    """What the device runs models with: onnxruntime, or tflite (which needs hytnas_jax[tflite] here, and
    ai-edge-litert or tflite-runtime there)."""
    networks: Annotated[int, within(1, MOST_NETWORKS)] = 100
    """How many networks to draw from the space; each is measured for half a second. 100 are good; for
    fit_latency --like, 10 are. Those of --front and --study are what they are; so it is with --seed."""
    front: bool = False
    """Take the networks of the search's front in place of drawing some."""
    study: bool = False
    """Take what study_efficiency compares: published networks, single operations, attention blocks, and
    networks of its space."""
    seed: Annotated[int, SEED] = 0
    """Of the draw."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
    if config.output.exists():
        raise UserError(f"--output {config.output}: it is there already; give another folder, or delete it")
    if config.front and config.study:
        raise UserError("--front, --study: each is a kit of its own; give one of them")
    check_runtimes("--runtime", (config.runtime,))
