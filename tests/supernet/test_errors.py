"""What is said of an exception in one line."""

import pytest

from supernet.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such device\nat line 3"), "no such device"),
        (ValueError("\n  deep inside"), "deep inside"),
        (KeyError(), "KeyError"),
        (RuntimeError(""), "RuntimeError"),
    ],
)
def test_the_first_line_of_an_exception(error: Exception, line: str) -> None:
    assert first_line(error) == line
