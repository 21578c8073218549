"""Files that survive a kill: written whole or not at all, and logs that grow a row at a time."""

import contextlib
import dataclasses
import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hytnas_jax import console
from hytnas_jax.files.tables import UserTable, read_user_table
from hytnas_jax.files.text import LINE_END
from hytnas_jax.runtime import process_group
from supernet.errors import UserError


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically (see `write_bytes`); what a path has that is no UTF-8 becomes "?"."""
    write_bytes(path, text.encode(errors="replace"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON, atomically (see `write_bytes`).

    Raises ValueError and TypeError for what `to_plain` refuses.
    """
    write_text(path, json.dumps(to_plain(value), indent=1) + "\n")


def to_plain(value: Any) -> Any:
    """`value` as it comes back from a JSON file: tuples are lists, paths strings, dataclasses dicts.

    NumPy arrays and scalars are lists and numbers. Raises ValueError for NaN and infinity, which
    JSON does not have, and TypeError for any other type.
    """
    return json.loads(json.dumps(value, default=_plain_leaf, allow_nan=False))


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds, whatever happens, the old content or all of the new.

    Missing parent folders are made. After a kill the leftover is a hidden `.<name>.<pid>.tmp`. Of a job of
    several processes, the lead alone writes.
    Raises OSError, with the file's name, where the disk is full or may not be written.
    """
    if not process_group.is_lead():
        return
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises UserError where it is missing or is no JSON: no NaN, no name twice."""
    try:
        return json.loads(
            Path(path).read_bytes(), object_pairs_hook=_without_doubles, parse_constant=_no_constant
        )
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such file; give another path, or run the command that writes it"
        ) from None
    except (ValueError, IsADirectoryError) as error:
        raise UserError(
            f"{path}: this is not a whole JSON file ({error}); "
            "restore it from a copy, or delete it and run the command that writes it again"
        ) from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


class CsvLog:
    """A CSV file that grows a row at a time, each on the disk before `append` returns.

    On opening, a last line that a kill has cut is removed, and a file that another program has saved in
    another form (`tables`) is written anew in this one.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], *, added: Mapping[str, object] | None = None
    ) -> None:
        """Open `path`, or start it with a header of `columns`.

        Those in `added` an earlier version did not have: a file without them gets them, with these values.

        Raises UserError where the file has another header, or a damaged row.
        """
        self.path = Path(path)
        self.columns = tuple(columns)
        header = _csv_line(self.columns)
        self._add_missing(added or {})
        if not self.path.exists() or self.path.stat().st_size == 0:
            write_bytes(self.path, header)
        data = self.path.read_bytes()
        whole = data[: data.rindex(b"\n") + 1] if data.startswith(header) else data
        table = self._read(whole)
        if sorted(table.columns) != sorted(self.columns):
            raise UserError(
                f"{self.path}: its columns are {','.join(table.columns)!r}, not {header.decode().strip()!r}; "
                "another version or another setting wrote it: move the file away or delete it"
            )
        if self._text([row.cells for row in table.rows]) != whole:
            console.warn(
                f"{self.path}: another program has saved it; its {len(table.rows)} rows are kept as they are "
                "there, and a number that was rounded stays rounded"
            )
            self.replace([row.cells for row in table.rows])
        elif whole != data:
            os.truncate(self.path, len(whole))

    def append(self, row: Mapping[str, object]) -> None:
        """Add one row, whose keys are exactly the columns; None is written as an empty cell.

        Raises OSError, and leaves the file as it was, where the disk is full.
        """
        if set(row) != set(self.columns):
            raise ValueError(f"{self.path}: row has {sorted(row)}, columns are {self.columns}")
        line = _csv_line([row[column] for column in self.columns])
        with _naming(self.path), self.path.open("ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(size)
                raise

    def replace(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Write all rows anew, each as `append` takes it; the file holds the old ones or the new ones."""
        write_bytes(self.path, self._text(rows))

    def rows(self) -> list[dict[str, str]]:
        """All rows, first to last, each as column -> text. Raises UserError for a damaged row."""
        return [dict(row.cells) for row in self._read(self.path.read_bytes()).rows]

    def _add_missing(self, added: Mapping[str, object]) -> None:
        """Fill in all columns of `added` where the file has the others and none of these."""
        before = [column for column in self.columns if column not in added]
        if not added or not self.path.exists() or self.path.stat().st_size == 0:
            return
        data = self.path.read_bytes()
        if data.startswith(_csv_line(self.columns)):
            return  # none is missing; a last line may have been cut
        if data.startswith(_csv_line(before)):
            data = data[: data.rindex(b"\n") + 1]  # without a last line that a kill has cut
        table = self._read(data)
        if sorted(table.columns) == sorted(before):
            self.replace([{**row.cells, **added} for row in table.rows])

    def _read(self, data: bytes) -> UserTable:
        table = read_user_table(data, str(self.path))
        for row in table.rows:
            if any(LINE_END.search(cell) for cell in row.cells.values()):
                raise UserError(f"{self.path}, line {row.line}: a cell holds a line break; take it out")
        return table

    def _text(self, rows: Sequence[Mapping[str, object]]) -> bytes:
        lines = [_csv_line([row[column] for column in self.columns]) for row in rows]
        return b"".join([_csv_line(self.columns), *lines])


def _csv_line(cells: Sequence[object]) -> bytes:
    texts = ["" if cell is None else str(cell) for cell in cells]
    if any("\n" in text or "\r" in text for text in texts):
        raise ValueError(f"a cell of a CSV log may not hold a line break: {texts}")
    quoted = ['"' + t.replace('"', '""') + '"' if "," in t or '"' in t else t for t in texts]
    return (",".join(quoted) + "\n").encode()


def _plain_leaf(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON: {value!r}")


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give an OSError without a file name (from write, fsync) the name of `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
