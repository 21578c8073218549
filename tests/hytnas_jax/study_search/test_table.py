"""A CSV file as genes and values, and what is said of one that cannot be."""

from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.study_search.columns import parse_columns
from hytnas_jax.study_search.table import read_table
from supernet.errors import UserError

from .tables import FOUR_COLUMNS, FOUR_ROWS, four_rows, write


def test_genes_are_the_ranks_of_numbers_and_of_names(tmp_path: Path) -> None:
    table = four_rows(tmp_path)
    assert table.name == "four"
    assert table.genes.tolist() == [[0, 0], [1, 1], [2, 2], [0, 2]]
    assert table.values.tolist() == [[100, 10], [50, 5], [0, 0], [0, 10]]
    kind, size = table.features
    assert (kind.levels, kind.is_categorical) == (("a", "b", "c"), True)
    assert (size.levels, size.is_categorical) == ((1.0, 2.0, 10.0), False)


def test_numbers_are_ordered_as_numbers_unless_they_are_categories(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "x,u,t\n10,1,1\n9,2,2\n1e1,3,3\n".replace("1e1", "8.0"))
    columns = parse_columns(features=["x"], objectives=["u:max,t:min"])
    assert read_table(path, columns).features[0].levels == (8.0, 9.0, 10.0)
    columns = parse_columns(features=["x"], objectives=["u:max,t:min"], categorical=["x"])
    feature = read_table(path, columns).features[0]
    assert (feature.levels, feature.is_categorical) == (("10", "8.0", "9"), True)


def test_byte_order_mark_quotes_spaces_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbf"kind", size,accuracy,time_ms\r\n"a",1, 100 ,10\r\n\r\nb,2,50,5\r\n')
    assert read_table(path, FOUR_COLUMNS).values.tolist() == [[100, 10], [50, 5]]


def test_rows_are_found_by_their_genes(tmp_path: Path) -> None:
    table = four_rows(tmp_path)
    assert table.rows_of(table.genes[[3, 1]]).tolist() == [3, 1]
    with pytest.raises(KeyError):
        table.rows_of(np.array([[1, 0]]))


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    before = four_rows(tmp_path).digest
    assert four_rows(tmp_path).digest == before
    changed = write(tmp_path / "four.csv", FOUR_ROWS.replace("50,5", "50,6"))
    assert read_table(changed, FOUR_COLUMNS).digest != before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("b,2,50,5", "b,2,fast,5", "four.csv, line 3: 'accuracy' is 'fast'; it must be a finite number"),
        ("b,2,50,5", "b,2,nan,5", "four.csv, line 3: 'accuracy' is 'nan'"),
        ("b,2,50,5", "b,2,50,inf", "four.csv, line 3: 'time_ms' is 'inf'"),
        ("b,2,50,5", "b,2,50,", "four.csv, line 3: 'time_ms' is empty; it must be a finite number"),
        ("b,2,50,5", "b,,50,5", "four.csv, line 3: 'size' is empty; fill it in, or delete that line"),
        ("b,2,50,5", "b,nan,50,5", "four.csv, line 3: 'size' is 'nan'"),
        ("b,2,50,5", "b,2,50", "four.csv, line 3: has 3 cells and the header 4"),
        ("b,2,50,5", "a,1.0,7,7", "lines 2 and 3: are the same configuration (kind=a, size=1)"),
        ("kind,size", "kind,kind", "four.csv, line 1: there are 2 columns 'kind'"),
        ("kind,size", "sort,size", "has no such column; it has sort, size, accuracy, time_ms"),
        ("accuracy", "bleu", "--objectives accuracy: "),
        (FOUR_ROWS, "", "has 0 lines; needed are a header"),
        (FOUR_ROWS, "kind,size,accuracy,time_ms\n", "has 1 lines; needed are a header"),
        ("b,2,50,5", 'b,"2,50,5', "this is no CSV file"),
    ],
)
def test_a_wrong_table_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path / "four.csv", FOUR_ROWS.replace(old, new))
    with pytest.raises(UserError) as error:
        read_table(path, FOUR_COLUMNS)
    assert message in str(error.value)


def test_no_file_and_no_text_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError, match="there is no such file"):
            read_table(path, FOUR_COLUMNS)
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(UserError, match=r"image.png, line 1: byte 0x89 is no UTF-8 text"):
        read_table(tmp_path / "image.png", FOUR_COLUMNS)
