"""What measure.py has written on a device, read back: a row for each network."""

import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from pathlib import Path

from hytnas_jax import architecture_row
from hytnas_jax.device.measure import Timing
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

SAMPLE, FRONT = "sample", "front"  # what the identity of a kit begins with
LONGEST_MS = 600_000.0  # nobody waits ten minutes for a picture: another unit, or a clock that was set
CONSTANT = ("runtime", "threads", "processor")  # the same in all rows of a device
NEEDED = ("model", "latency_ms", "low_ms", "high_ms", "num_rounds", "kit", *CONSTANT)


@dataclasses.dataclass(frozen=True)
class Measured:
    """One row: which network, from which kit, how long it took and what energy, on what.

    energy_mj: millijoules of one picture, by the device's counter or the user's power meter; None where the
        cell is empty.
    """

    architecture: Architecture
    kit: str
    timing: Timing
    energy_mj: float | None
    device: tuple[str, ...]
    place: str


def read_tables(paths: Sequence[Path], space: SearchSpace) -> list[Measured]:
    """All rows of the files, each network once: of one that a sample and a front have, the front's.

    Raises:
      UserError: a file that is no such table, is of another space, or has a row that cannot be a measurement;
        a network that is there twice of one kit; rows of different devices. The message names file and line.
    """
    rows = [row for path in paths for row in _read(path, space)]
    kept: dict[Architecture, Measured] = {}
    for row in rows:
        before = kept.get(row.architecture)
        if before is not None and before.kit == row.kit:
            raise UserError(
                f"{row.place}: network {row.architecture.name} is in {before.place} too; delete one of both"
            )
        if row.device != rows[0].device:
            raise UserError(
                f"{row.place}: measured with {', '.join(row.device)}, but {rows[0].place} with "
                f"{', '.join(rows[0].device)}: a device is one processor, one runtime and so many threads. "
                "Give each its own --device"
            )
        if before is None or row.kit.startswith(FRONT):
            kept[row.architecture] = row
    return list(kept.values())


def _read(path: Path, space: SearchSpace) -> list[Measured]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--measurements {path}: cannot be read ({error})") from None
    reader = csv.DictReader(io.StringIO(text))
    columns = (*NEEDED, *architecture_row.columns(space)[1:])
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise UserError(
            f"--measurements {path}: has no column {missing[0]!r}; give a file that measure.py wrote from a "
            f"kit of this work folder, whose space is {space.name!r}"
        )
    found = []
    for number, cells in enumerate(reader, start=2):
        place = f"{path}, line {number}"
        try:
            found.append(_parse(cells, space, place))
        except (ValueError, TypeError) as error:
            raise UserError(f"{place}: {error}; delete the line, or measure that network again") from None
    if not found:
        raise UserError(f"--measurements {path}: holds no measurement")
    return found


def _parse(cells: dict[str, str], space: SearchSpace, place: str) -> Measured:
    architecture = architecture_row.from_cells(space, {**cells, "name": cells["model"]})
    timing = timing_of(cells)
    energy_mj = float(cells["energy_mj"]) if cells.get("energy_mj") else None
    if energy_mj is not None and not 0 < energy_mj < math.inf:
        raise ValueError(f"energy_mj {energy_mj} must be positive")
    device = tuple(cells[name] for name in CONSTANT)
    return Measured(architecture, cells["kit"], timing, energy_mj, device, place)


def timing_of(cells: dict[str, str]) -> Timing:
    """The timing in a row. Raises ValueError for what cannot be one."""
    timing = Timing.from_cells(cells)
    if timing.latency_ms > LONGEST_MS:
        raise ValueError(f"latency_ms {timing.latency_ms:g} is more than ten minutes; is it in another unit?")
    return timing
