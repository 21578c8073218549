"""A finite search problem from a CSV file: every configuration there is, each with its objectives' values.

Letters: R rows, G feature columns (genes), M objectives, F numbers that a surrogate sees, N rows suggested.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.files.tables import UserTable, looks_like_number, read_user_table, to_number
from hytnas_jax.study_search.columns import Columns
from supernet.errors import UserError
from supernet.row_keys import row_keys


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
        return np.array([self._row_by_key[key] for key in row_keys(genes)], np.int64)

    @functools.cached_property
    def _row_by_key(self) -> dict[bytes, int]:
        return {key: row for row, key in enumerate(row_keys(self.genes))}


def read_table(path: Path, columns: Columns) -> Table:
    """The table in a CSV file with a header; the problem is named by the file's stem.

    A feature is categorical where `columns.categorical` names it or none of its cells looks like a number.

    Raises:
        UserError: there is no such file, a column is missing or there twice, a cell is empty or no finite
            number where one is needed, or two rows are the same configuration; with the line's number.
    """
    table, digest = _read(path)
    for name in (*columns.features, *columns.objectives):
        _require(path, table, name, "--features" if name in columns.features else "--objectives")
    lines = [row.line for row in table.rows]
    cells = {
        name: [row.cells[name] for row in table.rows] for name in (*columns.features, *columns.objectives)
    }
    features, genes = [], []
    for name in columns.features:
        feature, indices = _feature(path, lines, name, cells[name], name in columns.categorical)
        features.append(feature)
        genes.append(indices)
    found = Table(
        name=path.stem,
        features=tuple(features),
        genes=np.array(genes, np.int64).T,
        values=np.array([_finite(path, lines, name, cells[name]) for name in columns.objectives]).T,
        columns=columns,
        digest=digest,
    )
    _refuse_duplicates(path, lines, found)
    return found


def _read(path: Path) -> tuple[UserTable, str]:
    """What is in the file, and its digest."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UserError(f"--table {path}: there is no such file; give the path of a CSV file") from None
    table = read_user_table(data, str(path))
    if not table.rows:
        raise UserError(
            f"{path}: has 1 lines; needed are a header that names the columns and at least one row below it"
        )
    return table, hashlib.sha256(data).hexdigest()


def _require(path: Path, table: UserTable, name: str, flag: str) -> None:
    if name not in table.columns:
        raise UserError(f"{flag} {name}: {path} has no such column; it has {', '.join(table.columns)}")


def _feature(
    path: Path, lines: Sequence[int], name: str, texts: Sequence[str], is_categorical: bool
) -> tuple[Feature, list[int]]:
    """The feature, and the level of each row [R]."""
    for line, text in zip(lines, texts, strict=True):
        if not text:
            raise UserError(f"{path}, line {line}: {name!r} is empty; fill it in, or delete that line")
    # A column that is numbers but for a slip is not taken for categories without a word.
    is_categorical = is_categorical or not any(looks_like_number(text) for text in texts)
    remedy = "mend it, name the column in --categorical too if these are no numbers"
    values: Sequence[Any] = texts if is_categorical else _finite(path, lines, name, texts, remedy)
    levels = sorted(set(values))
    index = {value: level for level, value in enumerate(levels)}
    return Feature(name, tuple(levels), is_categorical), [index[value] for value in values]


def _finite(
    path: Path, lines: Sequence[int], name: str, texts: Sequence[str], remedy: str = "mend it"
) -> list[float]:
    numbers = []
    for line, text in zip(lines, texts, strict=True):
        try:
            numbers.append(to_number(text))
        except ValueError:
            raise UserError(
                f"{path}, line {line}: {name!r} is {repr(text[:40]) if text else 'empty'}; it must be a "
                f"finite number, 0 or of 5e-324 to 1.8e308: {remedy}, or delete that line"
            ) from None
    return numbers


def _refuse_duplicates(path: Path, lines: Sequence[int], table: Table) -> None:
    first: dict[bytes, int] = {}
    for line, key in zip(lines, row_keys(table.genes), strict=True):
        if key in first:
            raise UserError(
                f"{path}, lines {first[key]} and {line}: are the same configuration "
                f"({_describe(table, lines.index(line))}); delete one of them, or add the column in which "
                "they differ to --features"
            )
        first[key] = line


def _describe(table: Table, row: int) -> str:
    pairs = zip(table.features, table.genes[row], strict=True)
    return ", ".join(f"{f.name}={_show(f.levels[level])}" for f, level in pairs)


def _show(level: float | str) -> str:
    return level if isinstance(level, str) else f"{level:g}"
