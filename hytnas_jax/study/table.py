"""A finite search problem from a CSV file: every configuration there is, each with its objectives' values.

Letters: R rows, G feature columns (genes), M objectives, F numbers that a surrogate sees, N rows named.
"""

import csv
import dataclasses
import functools
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.mobo.problem import gene_keys
from hytnas_jax.study.columns import Columns
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Feature:
    """A feature column: its different values in order (as texts where it is categorical)."""

    name: str
    levels: tuple[float | str, ...]
    is_categorical: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """All that can be evaluated.

    name: of the problem.
    genes: int64 [R, G], the index of each value among its feature's levels; all rows differ.
    values: float64 [R, M], finite, in the user's units.
    columns: what features and objectives are called and how they are meant.
    digest: SHA-256 of the file, to notice a change.
    """

    name: str
    features: tuple[Feature, ...]
    genes: np.ndarray
    values: np.ndarray
    columns: Columns
    digest: str

    def __len__(self) -> int:
        return len(self.genes)

    def rows_of(self, genes: np.ndarray) -> np.ndarray:
        """The rows [N] that hold genes [N, G]. Raises KeyError for genes that no row holds."""
        return np.array([self._row_by_key[key] for key in gene_keys(genes)], np.int64)

    @functools.cached_property
    def _row_by_key(self) -> dict[bytes, int]:
        return {key: row for row, key in enumerate(gene_keys(self.genes))}


def read_table(path: Path, columns: Columns) -> Table:
    """The table in a CSV file with a header; the problem is named by the file's stem.

    A feature is numeric where all its cells are numbers and `columns.categorical` does not name it.

    Raises:
        UserError: there is no such file, a column is missing or there twice, a cell is empty or no finite
            number where one is needed, or two rows are the same configuration; with the line's number.
    """
    header, lines, rows, digest = _read(path)
    cells = {}
    for name in (*columns.features, *columns.objectives):
        position = _position(path, header, name, columns)
        cells[name] = [row[position] for row in rows]
    features, genes = [], []
    for name in columns.features:
        feature, indices = _feature(path, lines, name, cells[name], name in columns.categorical)
        features.append(feature)
        genes.append(indices)
    table = Table(
        name=path.stem,
        features=tuple(features),
        genes=np.array(genes, np.int64).T,
        values=np.array([_finite(path, lines, name, cells[name]) for name in columns.objectives]).T,
        columns=columns,
        digest=digest,
    )
    _refuse_duplicates(path, lines, table)
    return table


def _read(path: Path) -> tuple[list[str], list[int], list[list[str]], str]:
    """The header, and of each row that is not blank its line's number and its cells; the digest."""
    try:
        data = path.read_bytes()
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        numbered = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UserError(f"--table {path}: there is no such file; give the path of a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"--table {path}: this is no CSV file ({error}); save the table as comma-separated UTF-8 text"
        ) from None
    if len(numbered) < 2:
        raise UserError(
            f"--table {path}: has {len(numbered)} lines; needed are a header that names the columns and at "
            "least one row below it"
        )
    header = [cell.strip() for cell in numbered[0][1]]
    for line, row in numbered[1:]:
        if len(row) != len(header):
            raise UserError(
                f"{path} line {line}: has {len(row)} cells and the header {len(header)}; mend that line"
            )
    lines, rows = zip(*numbered[1:], strict=True)
    return header, list(lines), list(rows), hashlib.sha256(data).hexdigest()


def _position(path: Path, header: Sequence[str], name: str, columns: Columns) -> int:
    if header.count(name) == 1:
        return header.index(name)
    if name in header:
        raise UserError(
            f"{path} line 1: there are {header.count(name)} columns {name!r}; rename or delete all but one"
        )
    flag = "--features" if name in columns.features else "--objectives"
    raise UserError(f"{flag} {name}: {path} has no such column; it has {', '.join(header)}")


def _feature(
    path: Path, lines: Sequence[int], name: str, cells: Sequence[str], is_categorical: bool
) -> tuple[Feature, list[int]]:
    """The feature, and the level of each row [R]."""
    texts = [cell.strip() for cell in cells]
    for line, text in zip(lines, texts, strict=True):
        if not text:
            raise UserError(f"{path} line {line}: {name!r} is empty; fill it in, or delete that line")
    is_categorical = is_categorical or any(_number(text) is None for text in texts)
    values: Sequence[Any] = texts if is_categorical else _finite(path, lines, name, texts)
    levels = sorted(set(values))
    index = {value: level for level, value in enumerate(levels)}
    return Feature(name, tuple(levels), is_categorical), [index[value] for value in values]


def _finite(path: Path, lines: Sequence[int], name: str, cells: Sequence[str]) -> list[float]:
    numbers = []
    for line, cell in zip(lines, cells, strict=True):
        number = _number(cell)
        if number is None or not np.isfinite(number):
            found = repr(cell.strip()) if cell.strip() else "empty"
            raise UserError(
                f"{path} line {line}: {name!r} is {found}; it must be a finite number: mend it, or delete "
                "that line"
            )
        numbers.append(number)
    return numbers


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _refuse_duplicates(path: Path, lines: Sequence[int], table: Table) -> None:
    first: dict[bytes, int] = {}
    for line, key in zip(lines, gene_keys(table.genes), strict=True):
        if key in first:
            raise UserError(
                f"{path} lines {first[key]} and {line}: are the same configuration "
                f"({_describe(table, lines.index(line))}); delete one of them, or add the column in which "
                "they differ to --features"
            )
        first[key] = line


def _describe(table: Table, row: int) -> str:
    pairs = zip(table.features, table.genes[row], strict=True)
    return ", ".join(f"{f.name}={_show(f.levels[level])}" for f, level in pairs)


def _show(level: float | str) -> str:
    return level if isinstance(level, str) else f"{level:g}"
