"""`search/measured.csv`: what a search has measured on the way, batch by batch."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.latency.session import milliseconds
from hytnas_jax.standalone.measure import Timing, shift
from hytnas_jax.workspace import architecture_row
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

TIMING = tuple(field.name for field in dataclasses.fields(Timing))
AGAIN, NEW = "again", "new"


@dataclasses.dataclass(frozen=True)
class Session:
    """Networks timed in the same rounds: `new` ones of a batch, and `again` some of measure_latency's."""

    new: dict[Architecture, Timing]
    again: dict[Architecture, Timing]

    def shift(self, before: Mapping[Architecture, Timing]) -> float:
        """How many times as long as `before` the machine takes, by what is timed again."""
        return shift(milliseconds(before), milliseconds(self.again))


class MeasuredLog:
    """The file, and the same in memory. A session is in it whole or not at all."""

    def __init__(self, path: Path, space: SearchSpace) -> None:
        """Open or start the file. Raises UserError where it is of another space, or a row is damaged."""
        self._space = space
        self._file = CsvLog(path, ("evaluations", "measured", *architecture_row.columns(space), *TIMING))
        self.sessions: dict[int, Session] = {}
        for number, row in enumerate(self._file.rows(), start=2):
            try:
                self._add(row)
            except ValueError as error:
                raise UserError(
                    f"{path}, line {number}: {error}; delete the lines with the same number of evaluations "
                    "as this, and the same command measures those networks again"
                ) from None

    def append(self, evaluations: int, session: Session) -> None:
        """Add what was measured after so many evaluations; it is on the disk when this returns."""
        rows = [
            {
                "evaluations": evaluations,
                "measured": measured,
                **architecture_row.to_cells(self._space, architecture),
                **dataclasses.asdict(timing),
            }
            for measured, timings in ((AGAIN, session.again), (NEW, session.new))
            for architecture, timing in timings.items()
        ]
        self._file.replace([*self._file.rows(), *rows])
        old = self.sessions.get(evaluations, Session({}, {}))
        self.sessions[evaluations] = Session(old.new | session.new, old.again | session.again)

    def _add(self, row: dict[str, str]) -> None:
        session = self.sessions.setdefault(int(row["evaluations"]), Session({}, {}))
        if row["measured"] not in (AGAIN, NEW):
            raise ValueError(f"measured is {row['measured']!r}, not one of {AGAIN}, {NEW}")
        timings = session.again if row["measured"] == AGAIN else session.new
        timings[architecture_row.from_cells(self._space, row)] = Timing.from_cells(row)
