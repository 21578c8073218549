"""The flags of `report`."""

import dataclasses
from pathlib import Path

from hytnas_jax.shared_flags.ranges import check_ranges


@dataclasses.dataclass(frozen=True)
class Config:
    """Write a page about the results in a work folder: report.html."""

    workdir: Path
    """The work folder; whatever steps have ended in it are told."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
