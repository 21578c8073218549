"""A CSV file with a row for each network: name and genes, and what is known of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.workspace import architecture_row
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace


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
        self._file = CsvLog(path, titles, added=added or {})

    def append(self, architecture: Architecture, others: Mapping[str, object]) -> None:
        """Add a row."""
        self._file.append(self._cells(architecture, others))

    def extend(self, rows: Iterable[tuple[Architecture, Mapping[str, object]]]) -> None:
        """Add rows, all of them or none."""
        self._file.replace([*self._file.rows(), *(self._cells(*row) for row in rows)])

    def each(self, take: Callable[[Architecture, dict[str, str]], None], *, remedy: str) -> None:
        """Hand over every row. Raises UserError naming the line that `take` refuses by a ValueError; `remedy`
        says what then helps."""
        for number, row in enumerate(self._file.rows(), start=2):
            try:
                take(architecture_row.from_cells(self._space, row), row)
            except ValueError as error:
                raise UserError(f"{self.path}, line {number}: {error}; {remedy}") from None

    def _cells(self, architecture: Architecture, others: Mapping[str, object]) -> dict[str, object]:
        return {**architecture_row.to_cells(self._space, architecture), **others}
