"""Tables as spreadsheets and people save them: the same rows, or the line that can be read in two ways."""

import codecs

import numpy as np
import pytest

from hytnas_jax.files.tables import (
    UserTable,
    looks_like_number,
    number_in,
    read_user_table,
    require_columns,
    to_number,
)
from supernet.errors import UserError

PLAIN = "model,ms,energy\na1,0.25,\nb2,1.5,7\n"
ROWS = [{"model": "a1", "ms": "0.25", "energy": ""}, {"model": "b2", "ms": "1.5", "energy": "7"}]


def read(data: bytes | str) -> UserTable:
    return read_user_table(data.encode() if isinstance(data, str) else data, "pi.csv")


SAVED = {
    "as written": PLAIN.encode(),
    "CSV UTF-8 of Excel": codecs.BOM_UTF8 + PLAIN.replace("\n", "\r\n").encode(),
    "Unicode text of Excel": codecs.BOM_UTF16_LE + PLAIN.replace(",", "\t").encode("utf-16-le"),
    "UTF-16 BE": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
    "UTF-32": codecs.BOM_UTF32_LE + PLAIN.encode("utf-32-le"),
    "an old Macintosh": PLAIN.replace("\n", "\r").encode(),
    "semicolons": PLAIN.replace(",", ";").encode(),
    "semicolons and decimal commas": PLAIN.replace(",", ";").replace(".", ",").encode(),
    "tabs and decimal commas": PLAIN.replace(",", "\t").replace(".", ",").encode(),
    "sep=;": ("sep=;\r\n" + PLAIN.replace(",", ";").replace(".", ",")).encode(),
    "padded sep": ("SEP=;;;\n" + PLAIN.replace(",", ";")).encode(),
    "sep=|": ("sep=|\n" + PLAIN.replace(",", "|")).encode(),
    "padded": b"model,ms,energy,,\na1,0.25,,,\n,,,,\nb2,1.5,7,,\n,,,,\n,,,,\n",
    "padded below only": b"model,ms,energy\na1,0.25,,,,\nb2,1.5,7\n\n\n",
    "spaces": " model , ms ,energy\na1,  0.25 ,\n\u00a0b2 ,1.5,\t7\n".encode(),
    "quoted": b'"model","ms","energy"\n"a1","0.25",""\n"b2", "1.5","7"\n',
    "quoted decimal commas": b'"model";"ms";"energy"\n"a1";"0,25";""\n"b2";"1,5";"7"\n',
    "no end of line": PLAIN.rstrip("\n").encode(),
    "an index without a name": b",model,ms,energy\n0,a1,0.25,\n1,b2,1.5,7\n",
    "blank lines first": ("\n\n" + PLAIN).encode(),
    "two marks": codecs.BOM_UTF8 + "\ufeff".encode() + PLAIN.encode(),
}


@pytest.mark.parametrize("data", SAVED.values(), ids=SAVED)
def test_however_it_is_saved_it_is_the_same_table(data: bytes) -> None:
    table = read(data)
    assert table.columns == ("model", "ms", "energy")
    assert [dict(row.cells) for row in table.rows] == ROWS


def test_lines_are_those_of_the_file() -> None:
    assert [row.line for row in read(SAVED["sep=;"]).rows] == [3, 4]
    assert [row.line for row in read(SAVED["padded"]).rows] == [2, 4]
    table = read('\n"model","ms"\n"two\r\nlines",1\nb,2\n')
    assert (table.header_line, [row.line for row in table.rows]) == (2, [3, 5])


def test_texts_with_commas_stay_what_they_are() -> None:
    table = read("kernels;ms\n3,5;0.5\n3,5,7;1.5\n3,5,7,9;2\n")
    assert [row.cells["kernels"] for row in table.rows] == ["3,5", "3,5,7", "3,5,7,9"]
    assert read('kernels,ms\n"3,5",0.5\n').rows[0].cells == {"kernels": "3,5", "ms": "0.5"}


REFUSED = {
    "": "has 0 lines; needed are a header",
    "\n , ,\n": "has 0 lines; needed are a header",
    "a,b,a\n1,2,3\n": "line 1: there are 2 columns 'a'; rename or delete all but one",
    "a,b\n1,2\n3\n": "line 3: has 1 cells and the header 2; mend or delete",
    "a,b\n0,25,3\n": "line 2: has 3 cells and the header 2; .*a number with a comma needs semicolons",
    "a,b,\n0,25,3\n": "line 2: has 3 cells and the header 2",
    "a;b\n1;2\n3;4;5\n": "line 3: has 3 cells and the header 2",
    'a,b\n1,"2\n3,4\n': "line 2: this is no CSV file .*mend the quotes",
    "a,b;c\n1,2;3\n": "line 1: the columns may be separated by commas or by semicolons; .*sep=, or sep=;",
    "a;b\n0,5;1\n1;2.5\n": r"line 2: '0,5' has a decimal comma and line 3 has '2.5'",
    "a\tb\n1,234\t1\n": "line 2: '1,234' may be 1.234 or 1234",
    "a,b\n1,2\x00\n": "line 2: a byte is 0",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(UserError, match=f"(?s)^pi.csv[,:].*{REFUSED[text]}"):
        read(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b\n1,é\n".encode("latin-1"), "line 2: byte 0xe9 is no UTF-8 text; save the file as UTF-8"),
        ("a,b\r1,2\r3,é\r".encode("latin-1"), "line 3: byte 0xe9"),
        (b"PK\x03\x04rest", "a zip file or a spreadsheet; save it as text"),
        (b"\x89PNG\xff", "line 1: byte 0x89"),
        (PLAIN.encode("utf-16-le"), "line 1: a byte is 0"),
        (codecs.BOM_UTF16_LE + b"a\x00,\x00b", "line 1: byte 0x62 is no UTF-16-LE text"),
    ],
)
def test_bytes_that_are_no_text_are_named(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(data)


def test_three_digits_behind_a_comma_are_decimals_where_the_file_shows_it() -> None:
    assert read("a\tb\n1,234\t0,5\n").rows[0].cells == {"a": "1.234", "b": "0.5"}
    assert read("a;b\n1,234;1\n").rows[0].cells["a"] == "1.234"


def test_missing_columns_are_named_with_those_there_are() -> None:
    with pytest.raises(
        UserError, match=r"pi\.csv, line 1: has no column 'kit', 'low'; it has model, ms, energy; why"
    ):
        require_columns(read(PLAIN), ("kit", "ms", "low"), "pi.csv", "why")


def test_numbers_are_those_that_64_bits_hold() -> None:
    assert [to_number(text) for text in ("1", "+.5", "-2.", "1E-3", "1e308", "5e-324", "0e-999")] == [
        *(1, 0.5, -2, 0.001, 1e308, 5e-324, 0)
    ]
    for text, reason in {
        "": "'' is no number",
        "nan": "'nan' is no number",
        "1_000": "'1_000' is no number",
        "1,5": "'1,5' is no number",
        "٣": "is no number",
        "1e309": "'1e309' is too large",
        "9" * 400: "is too large",
        "-1e-400": "'-1e-400' is too near to 0",
    }.items():
        with pytest.raises(ValueError, match=reason):
            to_number(text)


def test_a_cell_is_named_by_its_column_and_may_have_no_value() -> None:
    cells = {"ms": "1.5", "error": "nan", "loss": "", "seconds": "1 s"}
    assert number_in(cells, "ms") == number_in(cells, "ms", may_fail=True) == 1.5
    assert all(np.isnan(number_in(cells, name, may_fail=True)) for name in ("error", "loss"))
    for name in ("error", "loss", "seconds"):
        with pytest.raises(ValueError, match=f"{name}: .* is no number"):
            number_in(cells, name)


def test_what_a_person_takes_for_a_number() -> None:
    assert all(map(looks_like_number, ("1", "1,5", "1.234,5", "-1,234,567.8", "nan", "INF", "2e5", ".5")))
    assert not any(map(looks_like_number, ("", "conv", "3x3", "e5", "1-2", "1 h", ",", "v1.2")))
