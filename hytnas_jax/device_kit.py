"""Write a folder of networks and one script that measures them on a device without JAX.

    python -m hytnas_jax.device_kit --workdir runs/digits --output kit
    # copy kit/ to the device, and there: python measure.py --device pi
    # bring pi.csv back:
    python -m hytnas_jax.fit_latency --workdir runs/digits --device pi --measurements pi.csv
    python -m hytnas_jax.search --workdir runs/digits --device pi
    python -m hytnas_jax.device_kit --workdir runs/digits --output front-kit --front

The script needs Python, numpy and the runtime of the models, nothing else. With --front the networks are
those of the search's front: what they take there is compared with what was predicted.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.command import run
from hytnas_jax.format_names import RuntimeName
from hytnas_jax.ranges import MOST_NETWORKS, SEED, check_ranges, within


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


def main(config: Config) -> None:
    """Write the kit."""
    check_ranges(config)
    from hytnas_jax.steps.device_kit import device_kit

    device_kit(config)


if __name__ == "__main__":
    run(main, Config)
