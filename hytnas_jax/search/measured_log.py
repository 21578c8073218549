"""`search/measured.csv`: what a search has measured on the way, batch by batch."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from hytnas_jax.latency.measurements import TIMING
from hytnas_jax.latency.session import milliseconds
from hytnas_jax.on_device.measure import Timing, shift
from hytnas_jax.workspace.architecture_log import ArchitectureLog
from supernet.architecture import Architecture
from supernet.search_space import SearchSpace

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
        self._log = ArchitectureLog(path, space, TIMING, before=("evaluations", "measured"))
        self.sessions: dict[int, Session] = {}
        self._log.each(
            self._add,
            remedy="delete the lines with the same number of evaluations as this, and the same command "
            "measures those networks again",
        )

    def append(self, evaluations: int, session: Session) -> None:
        """Add what was measured after so many evaluations; it is on the disk when this returns."""
        self._log.extend(
            (architecture, {"evaluations": evaluations, "measured": measured, **dataclasses.asdict(timing)})
            for measured, timings in ((AGAIN, session.again), (NEW, session.new))
            for architecture, timing in timings.items()
        )
        old = self.sessions.get(evaluations, Session({}, {}))
        self.sessions[evaluations] = Session(old.new | session.new, old.again | session.again)

    def _add(self, architecture: Architecture, row: dict[str, str]) -> None:
        session = self.sessions.setdefault(int(row["evaluations"]), Session({}, {}))
        if row["measured"] not in (AGAIN, NEW):
            raise ValueError(f"measured is {row['measured']!r}, not one of {AGAIN}, {NEW}")
        timings = session.again if row["measured"] == AGAIN else session.new
        timings[architecture] = Timing.from_cells(row)
