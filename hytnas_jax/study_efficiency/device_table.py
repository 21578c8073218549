"""What a device has measured of a study, read back from the table that a kit's script writes."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path

from hytnas_jax.latency.kit_table import CONSTANT, NEEDED, read_measurements
from hytnas_jax.on_device.measure import Timing
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class DeviceTable:
    """One device: its name, what it is ("runtime", "threads", "processor"), the timings by subject."""

    name: str
    about: Mapping[str, str]
    timings: Mapping[str, Timing]

    @property
    def in_words(self) -> str:
        """What it is, for people."""
        return f"{self.about['runtime']}, {self.about['processor']}, threads {self.about['threads']}"


def read_device(path: Path, *, identity: str, names: Collection[str]) -> DeviceTable:
    """The table of one device.

    Args:
      identity: of the study's kits (`Plan.identity`).
      names: of its subjects.

    Raises:
      UserError: no such table, one of another study, a row that cannot be a measurement or is there twice,
        rows of different devices. The message names file and line.
    """
    timings: dict[str, Timing] = {}
    constant: dict[str, str] = {}
    for row in read_measurements(path, (*NEEDED, "device"), "a kit of this study (device_kit --study)"):
        place, cells = f"{path}, line {row.line}", row.cells
        if cells["kit"] != identity:
            raise UserError(
                f"{place}: is of kit {cells['kit']}, and this study's is {identity}: it was made with other "
                "settings; measure with a kit of this study (device_kit --study)"
            )
        try:
            timings[_new(cells["model"], names, timings)] = Timing.from_cells(cells)
        except ValueError as error:
            raise UserError(f"{place}: {error}; delete the line, or measure that model again") from None
        about = {name: cells[name] for name in ("device", *CONSTANT)}
        if constant and about != constant:
            raise UserError(
                f"{place}: measured with {about}, and the lines before with {constant}; split them"
            )
        constant = about
    return DeviceTable(constant.pop("device"), constant, timings)


def _new(name: str, names: Collection[str], before: Collection[str]) -> str:
    if name not in names:
        raise ValueError(f"model {name!r} is not of this study")
    if name in before:
        raise ValueError(f"model {name!r} is there twice")
    return name
