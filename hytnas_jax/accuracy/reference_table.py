"""`references.csv`: which networks were trained on their own, from which seed, for how long, and what came
out."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from hytnas_jax.files.tables import number_in, read_user_table
from hytnas_jax.numbers import counted
from hytnas_jax.workspace import architecture_row
from hytnas_jax.workspace.architecture_log import ArchitectureLog
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

TABLE = "references.csv"


@dataclasses.dataclass(frozen=True, order=True)
class ReferenceJob:
    """One network to train, by its genes, from one seed, for so many epochs."""

    seed: int
    architecture: Architecture
    epochs: int

    def __str__(self) -> str:
        return f"{self.architecture.name} · {counted(self.epochs, 'epoch')} · seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class Trained:
    """What became of a job: error rate and loss in nats on the validation split, and the seconds it took."""

    error: float
    loss: float
    seconds: float


class ReferenceTable:
    """`references.csv`: a row for each network that has been trained, by seed and length."""

    def __init__(self, path: Path, space: SearchSpace, *, epochs: int | None) -> None:
        """Open or start the file.

        Args:
          path: the file.
          space: what its networks are of.
          epochs: how long those of a file were trained that does not say so (an earlier version's); None:
            that is not known.

        Raises:
          UserError: it is of another space, or how long its networks were trained is not known.
        """
        if epochs is None and _lacks_epochs(path):
            raise UserError(
                f"{path}: it has no column 'epochs', so how long its networks were trained is not known; "
                "give that number once (--epochs 20, say), then --epochs auto"
            )
        columns = ("seed", "epochs", "error", "loss", "seconds")
        self._log = ArchitectureLog(path, space, columns, added={} if epochs is None else {"epochs": epochs})

    def append(self, job: ReferenceJob, trained: Trained) -> None:
        """Add a row; it is on the disk when this returns."""
        result = dataclasses.asdict(trained) | {"seconds": round(trained.seconds, 1)}
        self._log.append(job.architecture, {"seed": job.seed, "epochs": job.epochs, **result})

    def read(self) -> dict[ReferenceJob, Trained]:
        """All rows. Raises UserError for one that this space cannot have, or that is there twice."""
        found: dict[ReferenceJob, Trained] = {}

        def add(architecture: Architecture, row: dict[str, str]) -> None:
            job, trained = _parse(architecture, row)
            if job in found:
                raise ValueError(f"{job} is there twice")
            found[job] = trained

        self._log.each(add, remedy="delete the line and the same command trains that network again")
        return found


def read_beside(path: Path, space: SearchSpace, *, epochs: int) -> dict[ReferenceJob, Trained]:
    """The rows of a table that another process may be writing at the moment: the whole ones, none where there
    is no file. `epochs` is the length in a table that does not say it. Nothing is written.

    Raises UserError for a row that this space cannot have.
    """
    data = path.read_bytes() if path.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    found: dict[ReferenceJob, Trained] = {}
    for row in read_user_table(whole, str(path)).rows if whole else ():
        cells = {"epochs": str(epochs), **row.cells}
        try:
            job, trained = _parse(architecture_row.from_cells(space, cells), cells)
        except (ValueError, LookupError) as error:
            raise UserError(f"{path}, line {row.line}: {error}; mend or delete the line") from None
        found.setdefault(job, trained)
    return found


def _parse(architecture: Architecture, row: dict[str, str]) -> tuple[ReferenceJob, Trained]:
    job = ReferenceJob(_whole(row, "seed", 0), architecture, _whole(row, "epochs", 1))
    trained = Trained(number_in(row, "error"), float(row["loss"]), number_in(row, "seconds"))
    if not 0 <= trained.error <= 1:
        raise ValueError(f"error is {trained.error}, not between 0 and 1")
    return job, trained


def _lacks_epochs(path: Path) -> bool:
    """Whether there is a table, and it does not say how long its networks were trained."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    return "epochs" not in read_user_table(path.read_bytes(), str(path)).columns


def _whole(row: Mapping[str, str], column: str, least: int) -> int:
    """The whole number in a cell ("3.0" is 3). Raises ValueError naming the column."""
    value = number_in(row, column)
    if value != int(value) or value < least:
        raise ValueError(f"{column} is {row[column]}, not a whole number of at least {least}")
    return int(value)
