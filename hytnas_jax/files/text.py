"""Text that a user's program has saved, in whichever Unicode encoding it says."""

import codecs
import re

from supernet.errors import UserError

# A byte order mark, and what follows it; that of UTF-16 begins that of UTF-32.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_ZIP = b"PK\x03\x04"  # what .xlsx and .ods are
LINE_END = re.compile("\r\n|\r|\n")


def decode(data: bytes, place: str) -> str:
    """UTF-8, or what the byte order mark says, without the mark; line ends stay as they are.

    Raises UserError, which begins with `place`, for bytes that are no such text; with the line.
    """
    if data.startswith(_ZIP):
        raise UserError(f"{place}: this is no text but a zip file or a spreadsheet; save it as text in UTF-8")
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    encoding = _MARKS.get(mark, "utf-8")
    data = data[len(mark) :]
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = line_at(data[: error.start].decode(encoding, "ignore"))
        raise UserError(
            f"{place}, line {line}: byte 0x{data[error.start]:02x} is no {encoding.upper()} text; save the "
            "file as UTF-8 (a spreadsheet calls it CSV UTF-8)"
        ) from None
    if "\0" in text:
        line = line_at(text[: text.index("\0")])
        raise UserError(
            f"{place}, line {line}: a byte is 0, so this is no UTF-8 text, or is damaged; save the file "
            "as UTF-8"
        )
    return text.lstrip("\ufeff")


def line_at(before: str) -> int:
    """The number of the line that begins or goes on behind this text."""
    return len(LINE_END.findall(before)) + 1
