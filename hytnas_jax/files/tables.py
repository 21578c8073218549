"""A table as CSV text that a person, or a spreadsheet, may have saved: every reader of tables reads by this.

Columns are separated by commas, semicolons or tabs, whichever fits all lines; a first line `sep=;` decides. A
point is always the decimal mark; a comma is, too, where columns are separated by something else, unless the
file has both. What can be read in two ways is refused with its line.
"""

import csv
import dataclasses
import io
import math
import re
from collections.abc import Mapping, Sequence

from hytnas_jax.files.text import LINE_END, decode
from supernet.errors import UserError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WITH_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?")
_WITH_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_LIKE_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_LIKE_NUMBER = re.compile(r"[+-]?([0-9.,]*[0-9][.,]?([eE][+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Row:
    """A line that is not blank: its number in the file, and its cells by column, without spaces around them.

    A number with a decimal comma has a point instead.
    """

    line: int
    cells: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class UserTable:
    """The named columns in their order, the header's line, and the rows below it."""

    columns: tuple[str, ...]
    header_line: int
    rows: tuple[Row, ...]


def read_user_table(data: bytes, place: str) -> UserTable:
    """The table in a file's bytes.

    Blank lines are passed over, and columns without a name where they are not the last ones.

    Raises:
      UserError: no text, no header, a column that is there twice, a line with another number of cells than
        the header, an open quote, or decimal marks that can be read in two ways. It begins with `place` and
        tells the line.
    """
    separator, (header, *body) = _lines(decode(data, place), place)
    line, names = header
    for name in names:
        if name and names.count(name) > 1:
            raise UserError(
                f"{place}, line {line}: there are {names.count(name)} columns {name!r}; rename or delete all "
                "but one"
            )
    for line, cells in body:
        if len(cells) != len(names):
            has_more = separator == "," and len(cells) > len(names)
            hint = "; a number with a comma needs semicolons between the columns" if has_more else ""
            raise UserError(
                f"{place}, line {line}: has {len(cells)} cells and the header {len(names)}; mend or delete "
                f"that line{hint}"
            )
    if separator != ",":
        body = _with_points(body, separator, place)
    rows = [Row(line, {n: cell for n, cell in zip(names, cells, strict=True) if n}) for line, cells in body]
    return UserTable(tuple(name for name in names if name), header[0], tuple(rows))


def require_columns(table: UserTable, wanted: Sequence[str], place: str, remedy: str) -> None:
    """Raises UserError for the columns of `wanted` that the table lacks; `remedy` ends the message."""
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        has = ", ".join(table.columns[:12]) + (", ..." if len(table.columns) > 12 else "")
        raise UserError(
            f"{place}, line {table.header_line}: has no column {', '.join(map(repr, missing[:5]))}; it has "
            f"{has}; {remedy}"
        )


def to_number(text: str) -> float:
    """The finite number that a cell holds.

    Raises ValueError, in words, for any other text, and for a number that 64 bits cannot hold.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:20]!r} is too large; the largest number is 1.8e308")
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ValueError(f"{text[:20]!r} is too near to 0; the smallest number is 5e-324")
    return value


def number_in(cells: Mapping[str, str], column: str, *, may_fail: bool = False) -> float:
    """`to_number` of a row's cell; with `may_fail` an empty one and "nan" are NaN: there is no value.

    Raises ValueError naming the column.
    """
    if may_fail and cells[column].lower() in ("", "nan"):
        return math.nan
    try:
        return to_number(cells[column])
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None


def looks_like_number(text: str) -> bool:
    """Whether a person takes the text for a number, usable or not: "1,5", "1.234,5", "nan"."""
    return bool(_LIKE_NUMBER.fullmatch(text))


Numbered = tuple[int, list[str]]  # a line's number, and its cells


def _lines(text: str, place: str) -> tuple[str, list[Numbered]]:
    """The separator, and the lines with content, of which there is one at least."""
    first, *_ = LINE_END.split(text, maxsplit=1)
    declared = re.fullmatch(r'"?sep=([^"\w])"?[;,\t ]*', first, re.IGNORECASE)
    if declared:
        found = [(declared[1], _records(text[len(first) :], declared[1], place))]
    else:
        candidates = _candidates(text)
        read = [(separator, _try_records(text, separator, place)) for separator in candidates]
        # One that fits all lines; where none does, the header's, so that the line is named.
        found = [(separator, lines) for separator, lines in read if _fits(lines)] or [
            (candidates[0], _records(text, candidates[0], place))
        ]
    if len(found) > 1:
        names = [SEPARATORS[separator] for separator, _ in found]
        raise UserError(
            f"{place}, line 1: the columns may be separated by {' or by '.join(names)}; say so in a "
            f"first line sep={found[0][0]} or sep={found[1][0]}"
        )
    if not found[0][1]:
        raise UserError(f"{place}: has 0 lines; needed are a header that names the columns and rows below it")
    return found[0]


def _candidates(text: str) -> list[str]:
    """The separators that the first line with content has outside of quotes, the most frequent one first; a
    comma where it has none."""
    header = next((line for line in LINE_END.split(text) if line.strip(' ,;\t"')), "")
    bare = re.sub('"[^"]*"', "", header)
    found = [separator for separator in SEPARATORS if separator in bare]
    return sorted(found, key=bare.count, reverse=True) or [","]


def _fits(lines: list[Numbered]) -> bool:
    """Whether all lines have as many cells as the header, and more than one."""
    return len({len(cells) for _, cells in lines}) == 1 and len(lines[0][1]) > 1


def _try_records(text: str, separator: str, place: str) -> list[Numbered]:
    """`_records`; none where it raises."""
    try:
        return _records(text, separator, place)
    except UserError:
        return []


def _records(text: str, separator: str, place: str) -> list[Numbered]:
    """The lines with content, without empty cells behind the header's last name."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    records, line = [], 1
    try:
        for cells in reader:
            records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{place}, line {line}: this is no CSV file ({error}); mend the quotes of that line, or save the "
            "table anew as CSV UTF-8"
        ) from None
    records = [(line, cells) for line, cells in records if any(cells)]
    width = max((n for n, name in enumerate(records[0][1], 1) if name), default=0) if records else 0
    return [(line, cells if any(cells[width:]) else cells[:width]) for line, cells in records]


def _with_points(body: list[Numbered], separator: str, place: str) -> list[Numbered]:
    """The lines with decimal commas replaced, in columns most of whose cells are numbers.

    Raises UserError where a comma in a number, or a point, may mean two things.
    """
    columns = (
        [n for n in range(len(body[0][1])) if _is_numeric([cells[n] for _, cells in body])] if body else []
    )
    numbers = [(line, cells[n]) for line, cells in body for n in columns]
    with_comma = [(line, cell) for line, cell in numbers if _WITH_COMMA.fullmatch(cell)]
    with_point = [(line, cell) for line, cell in numbers if _WITH_POINT.fullmatch(cell)]
    if not with_comma:
        return body
    line, first = with_comma[0]
    if with_point:
        other, point = with_point[0]
        raise UserError(
            f"{place}, line {line}: {first!r} has a decimal comma and line {other} has {point!r}; write all "
            "numbers with a point, and no mark between thousands"
        )
    if separator == "\t" and all(_LIKE_THOUSANDS.fullmatch(cell) for _, cell in with_comma):
        raise UserError(
            f"{place}, line {line}: {first!r} may be {first.replace(',', '.')} or {first.replace(',', '')}; "
            "write it as one of these"
        )

    def with_point_at(n: int, cell: str) -> str:
        return cell.replace(",", ".") if n in columns and _WITH_COMMA.fullmatch(cell) else cell

    return [(line, [with_point_at(n, cell) for n, cell in enumerate(cells)]) for line, cells in body]


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether most cells that are not empty are numbers."""
    filled = [cell for cell in cells if cell]
    return sum(bool(_NUMBER.fullmatch(cell) or _WITH_COMMA.fullmatch(cell)) for cell in filled) * 2 > len(
        filled
    )
