"""What measure.py has written on a device, read back: a row for each network."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from hytnas_jax.files.tables import Row, number_in, read_user_table, require_columns
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.workspace import architecture_row
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

SAMPLE, FRONT = "sample", "front"  # what the identity of a kit begins with
LEAST_MJ, MOST_MJ = 1e-9, 1e9  # a picojoule and a megajoule: an image takes neither
CONSTANT = ("runtime", "threads", "processor")  # the same in all rows of a device
NEEDED = ("model", "latency_ms", "low_ms", "high_ms", "num_rounds", "kit", *CONSTANT)


@dataclasses.dataclass(frozen=True)
class Measured:
    """One row: which network, from which kit, how long it took and what energy, on what.

    energy_mj: millijoules of one image, by the device's counter or the user's power meter; None where the
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
    needed = (*NEEDED, *architecture_row.columns(space)[1:])
    source = f"a kit of this work folder, whose space is {space.name!r}"
    found = []
    for row in read_measurements(path, needed, source):
        place = f"{path}, line {row.line}"
        try:
            found.append(_parse(row.cells, space, place))
        except ValueError as error:
            raise UserError(f"{place}: {error}; delete the line, or measure that network again") from None
    return found


def read_measurements(path: Path, needed: Sequence[str], source: str) -> tuple[Row, ...]:
    """The rows that measure.py has written, however they were saved since.

    Raises UserError where it is no table, has no row or lacks a column; `source`: what kit it should be of.
    """
    place = f"--measurements {path}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{place}: cannot be read ({error})") from None
    table = read_user_table(data, place)
    require_columns(table, needed, place, f"give a file that measure.py wrote from {source}")
    if not table.rows:
        raise UserError(f"{place}: holds no measurement")
    return table.rows


def _parse(cells: Mapping[str, str], space: SearchSpace, place: str) -> Measured:
    architecture = architecture_row.from_cells(space, {**cells, "name": cells["model"]})
    timing = Timing.from_cells(cells)
    energy_mj = number_in(cells, "energy_mj") if cells.get("energy_mj") else None
    if energy_mj is not None and not LEAST_MJ <= energy_mj <= MOST_MJ:
        raise ValueError(f"energy_mj {energy_mj:g} must be positive, and of one image in millijoules")
    device = tuple(cells[name] for name in CONSTANT)
    return Measured(architecture, cells["kit"], timing, energy_mj, device, place)
