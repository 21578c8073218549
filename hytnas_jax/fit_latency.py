"""Learn a device's latency from what a kit has measured on it (`device_kit`).

    python -m hytnas_jax.fit_latency --workdir runs/digits --device pi --measurements pi.csv

`search --device pi` then trades off, or limits, the latency on that device; `--objectives error
latency_ms@pi latency_ms@phone` that on several. Give the CSV files of several kits together, that of a
front too: its networks are first compared with what would have been predicted, then learnt from.

    python -m hytnas_jax.fit_latency --workdir runs/digits --device pi2 --measurements pi2.csv --like pi
"""

import dataclasses
from pathlib import Path

from hytnas_jax.command import run
from hytnas_jax.ranges import check_ranges
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


def main(config: Config) -> None:
    """Fit the predictor, and say how good it is."""
    check_ranges(config)
    if not config.measurements:
        raise UserError("--measurements: give the CSV files that measure.py has written on the device")
    from hytnas_jax.steps.fit_latency import fit_latency

    fit_latency(config)


if __name__ == "__main__":
    run(main, Config)
