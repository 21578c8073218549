"""The flags of `fit_latency`."""

import dataclasses
from pathlib import Path

from hytnas_jax.shared_flags.ranges import check_ranges
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Config:
    """Learn a device's latency from what a kit has measured on it."""

    workdir: Path
    """The work folder that the kit was made from."""
    device: str
    """What to call the device in this work folder."""
    measurements: tuple[Path, ...]
    """The CSV files that measure.py has written on it."""
    like: str | None = None
    """Another device whose predictor this one starts from, or `here` for this machine's (measure_latency): 5
    to 20 measurements are then enough. Without, 10 are needed and 100 are good."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
    if not config.measurements:
        raise UserError("--measurements: give the CSV files that measure.py has written on the device")
