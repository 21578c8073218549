"""The flags of `export`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.format_names import FormatName, check_formats
from hytnas_jax.shared_flags.ranges import MOST_IMAGES, check_ranges, within


@dataclasses.dataclass(frozen=True)
class Config:
    """Write the retrained networks for small devices, check them against JAX and measure their latency."""

    workdir: Path
    """The work folder; retrain has made the networks."""
    formats: tuple[FormatName, ...] = ("onnx", "onnx-int8")
    """What to write; onnx is always among them. The tflite ones need: pip install 'hytnas_jax[tflite]'."""
    images: Annotated[int, within(1, MOST_IMAGES)] = 1000
    """Images of the validation split that each file is checked by: it must agree with JAX, and how
    good it is, is told."""
    calibration: Annotated[int, within(1, MOST_IMAGES)] = 128
    """Images of the training split that the ranges of the int8 files are taken from."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
    check_formats(config.formats)
