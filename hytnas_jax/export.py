"""Write every retrained network in the formats of small devices, check each against JAX and measure it.

    python -m hytnas_jax.export --workdir runs/digits
    python -m hytnas_jax.export --workdir runs/digits --formats onnx onnx-int8 tflite tflite-int8 stablehlo

Each network's folder gets a file of each format, with what its check found beside it
(`model.onnx.check.json`), `card.json` (the model card) and `infer.py`, which classifies a picture with no
more than numpy, Pillow and the format's runtime.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.command import run
from hytnas_jax.format_names import FormatName, check_formats
from hytnas_jax.ranges import MOST_PICTURES, check_ranges, within


@dataclasses.dataclass(frozen=True)
class Config:
    """Write the retrained networks for small devices, check them against JAX and measure their latency."""

    workdir: Path
    """The work folder; retrain has made the networks."""
    formats: tuple[FormatName, ...] = ("onnx", "onnx-int8")
    """What to write; onnx is always among them. The tflite ones need: pip install 'hytnas_jax[tflite]'."""
    pictures: Annotated[int, within(1, MOST_PICTURES)] = 1000
    """Pictures of the search split that each file is checked by: it must agree with JAX, and its accuracy is
    told."""
    calibration: Annotated[int, within(1, MOST_PICTURES)] = 128
    """Pictures of the training split that the ranges of the int8 files are taken from."""


def main(config: Config) -> None:
    """Export what is not exported yet, and say how good and how quick each file is."""
    check_ranges(config)
    check_formats(config.formats)
    from hytnas_jax.steps.export import export

    export(config)


if __name__ == "__main__":
    run(main, Config)
