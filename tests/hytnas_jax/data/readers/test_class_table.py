"""Tables of classes, and what may be wrong in one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hytnas_jax.data.readers.class_table import FORMS, read_table

Refusal = Callable[[Callable[[], Any]], str]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("classes.csv", "road,1,2\n", f", line 1: 'road,1,2' is no name with three numbers; {FORMS}"),
        ("classes.csv", "road,1,2,256\n", f", line 1: '256' is no whole number from 0 to 255; {FORMS}"),
        (
            "classes.csv",
            "name,r,g,b\nroad,1,2,3\ncar,1,2,3\n",
            ", line 3: the colour (1, 2, 3) stands in line 2 already; give each class its own",
        ),
        (
            "classes.txt",
            "road\n\nroad\n",
            ", line 3: the name road stands in line 1 already; give each class its own",
        ),
        ("classes.txt", "\n", f": names no class; {FORMS}"),
        (
            "classes.txt",
            "\n".join(map(str, range(256))),
            ": names 256 classes; at most 255 are allowed, since 255 is ignored",
        ),
    ],
)
def test_wrong_tables(tmp_path: Path, refusal: Refusal, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    assert refusal(lambda: read_table(tmp_path / name)) == f"DIR/{name}{said}"
