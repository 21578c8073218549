"""A CSV file with a row for each network: name and genes, and what is known of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.workspace import architecture_row
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

T = TypeVar("T")


class ArchitectureLog:
    """The file; a row that was added is on the disk."""

    def __init__(
        self,
        path: Path,
        space: SearchSpace,
        columns: Sequence[str],
        *,
        before: Sequence[str] = (),
        added: Mapping[str, object] | None = None,
    ) -> None:
        """Open or start the file. Raises UserError where it is of another space's genes.

        Args:
          path: the file.
          space: of the networks.
          columns: behind the network's.
          before: columns before the network's.
          added: the value of a column that a file of an earlier version lacks.
        """
        self.path = path
        self._space = space
        titles = (*before, *architecture_row.columns(space), *columns)
        self._file = CsvLog(path, titles, added=dict(added or {}))

    def cells(self, architecture: Architecture, others: Mapping[str, object]) -> dict[str, object]:
        """A row."""
        return {**architecture_row.to_cells(self._space, architecture), **others}

    def append(self, architecture: Architecture, others: Mapping[str, object]) -> None:
        """Add a row."""
        self._file.append(self.cells(architecture, others))

    def extend(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows of `cells`, all of them or none."""
        self._file.replace([*self._file.rows(), *rows])

    def read(self, parse: Callable[[Architecture, dict[str, str]], T], *, remedy: str) -> list[T]:
        """Every row, parsed. Raises UserError naming the line that `parse` refuses by a ValueError; `remedy`
        says what then helps."""
        found = []
        for number, row in enumerate(self._file.rows(), start=2):
            try:
                found.append(parse(architecture_row.from_cells(self._space, row), row))
            except ValueError as error:
                raise UserError(f"{self.path}, line {number}: {error}; {remedy}") from None
        return found
