"""YAML as a person reads it, and what may be read in two ways refused with its line."""

import codecs
import time

import pytest

from hytnas_jax.files.plain_yaml import read_yaml
from supernet.errors import UserError


def read(text: str) -> object:
    return read_yaml(text.encode(), "s.yaml")


def test_plain_values_are_what_they_look_like() -> None:
    text = """\
        name: my space-2          # a text
        widths: [8, -3, 0, 1.5, 0.5, 2., 1e3, 1.0e-05, +4]
        words: [true, false, null, ~, conv, "010", 'yes', stage1.width <= 8, v1.2, 3x3, 1:a]
        block: |
          two
          lines
        empty:
    """
    assert read(text) == {
        "name": "my space-2",
        "widths": [8, -3, 0, 1.5, 0.5, 2.0, 1000.0, 1e-5, 4],
        "words": [True, False, None, None, "conv", "010", "yes", "stage1.width <= 8", "v1.2", "3x3", "1:a"],
        "block": "two\nlines\n",
        "empty": None,
    }


def test_anchors_and_merges_work() -> None:
    text = """\
        a: &a {kernel: [3, 5], width: [8]}
        b: &b {<<: *a, width: [16]}
        c: {<<: *b, width: [24], depth: &d [1, 2]}
        d: *d
    """
    assert read(text) == {
        "a": {"kernel": [3, 5], "width": [8]},
        "b": {"kernel": [3, 5], "width": [16]},
        "c": {"kernel": [3, 5], "width": [24], "depth": [1, 2]},
        "d": [1, 2],
    }


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_byte_order_mark_says_what_the_text_is(mark: bytes) -> None:
    encoding = {3: "utf-8"}.get(len(mark), "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be")
    assert read_yaml(mark + "name: größe\r\nn: 1\r\n".encode(encoding), "s.yaml") == {"name": "größe", "n": 1}


REFUSED = {
    "a: 1\nb: 2\na: 3": "line 3: 'a' stands in line 1 already; delete one of both",
    "a: 1\n'a': 1": "line 2: 'a' stands in line 1 already",
    "s:\n  - {b: 1,\n     b: 1}": "line 3: 'b' stands in line 2 already",
    "a: 010": "line 1: 010 is a number with leading zeros, or a text; write a number as 1000 or 0.5",
    "a: [8, 08]": "line 1: 08 is a number with leading zeros",
    "a: 00.5": "line 1: 00.5 is a number with leading zeros",
    "a:\n- 1:30": "line 2: 1:30 is minutes and seconds",
    "a: [1_000]": "line 1: 1_000 is a number with underscores",
    "a: 0x10": "line 1: 0x10 is a number of another base",
    "a: 0o17": "line 1: 0o17 is a number of another base",
    "a: yes": "line 1: yes is true or false, or a text; .* a text in quotes",
    "a: Off": "line 1: Off is true or false",
    "no: 1": "line 1: no is true or false",
    "a: -.INF": "line 1: -.INF is no finite number",
    "a: .nan": "line 1: .nan is no finite number",
    "a: nan": "line 1: nan is no finite number",
    "a: 2024-01-02": "line 1: 2024-01-02 is a date",
    "a: !!python/object/apply:os.system ['true']": "line 1: !!python/object/apply:os.system is a tag",
    'a: !!int "010"': "line 1: !!int is a tag; write values without",
    "a: !mine 3": "line 1: !mine is a tag",
    "a: 1\n---\nb: 2": "line 2: not readable as YAML: but found another document",
    "a:\n\t- 1": r"line 2: not readable as YAML: .*indent by spaces",
    "a: [1, 2": "line 1: not readable as YAML",
    "? [a, b]\n: 1": "line 1: a key is a list or a mapping",
    "a: *b": "line 1: not readable as YAML: found undefined alias 'b'",
    "a: &a [1, *a]": "line 1: an alias stands inside of what it repeats",
    "a: {<<: 3}": "line 1: not readable as YAML: expected a mapping",
    "a: " + "[" * 5000: "not readable as YAML: lists in lists, too deep",
    "": "s.yaml: is empty; it must hold the fields",
    "# nothing\n": "s.yaml: is empty",
    "a: \x00": "line 1: a byte is 0",
    "a: \x07": "line 1: not readable as YAML: special characters are not allowed",
    "a: " + "1" * 200_000: "has 200003 bytes, more than 200000",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_what_may_be_read_in_two_ways_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(UserError, match=f"^s.yaml(, |: ){REFUSED[text].removeprefix('s.yaml: ')}") as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_aliases_of_aliases_do_not_grow_beyond_bounds() -> None:
    laughs = "a0: &a0 [1, 2]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 30))
    started = time.perf_counter()
    with pytest.raises(UserError, match=r"line \d+: has more than 20000 values, with what aliases repeat"):
        read(laughs)
    assert time.perf_counter() - started < 2


def test_bytes_that_are_no_text_are_named() -> None:
    with pytest.raises(
        UserError, match=r"s\.yaml, line 2: byte 0xf6 is no UTF-8 text; save the file as UTF-8"
    ):
        read_yaml("a: 1\nname: größe".encode("latin-1"), "s.yaml")
