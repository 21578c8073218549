"""Numbers as the report writes them."""

import math

import pytest

from hytnas_jax.numbers import count, counted, duration, fraction, milliseconds, percent, size, span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.0123), "1.2%"),
        (percent(0.0), "0.0%"),
        (percent(math.nan), "–"),
        (fraction(0.12345), "0.123"),
        (fraction(math.nan), "–"),
        (milliseconds(0.05), "0.0500 ms"),
        (milliseconds(12.345), "12.3 ms"),
        (milliseconds(math.nan), "–"),
        (count(999), "999"),
        (count(12_345), "12.3 k"),
        (count(999_990), "1 M"),
        (count(4_200_000), "4.2 M"),
        (count(2e12), "2000 G"),
        (size(2048), "2 KiB"),
        (size(150_000), "146 KiB"),
        (size(math.nan), "–"),
        (duration(59.4), "59 s"),
        (duration(185), "3 min 05 s"),
        (duration(7620), "2 h 07 min"),
        (counted(1, "epoch"), "1 epoch"),
        (counted(0, "epoch"), "0 epochs"),
        (counted(2, "class", "classes"), "2 classes"),
        (counted(1, "network is", "networks are"), "1 network is"),
        (counted(3, "network is", "networks are"), "3 networks are"),
        (counted(1079, "image", form=","), "1,079 images"),
        (counted(1.0, "minute", form="g"), "1 minute"),
        (counted(0.5, "minute", form="g"), "0.5 minutes"),
        (span("0.9%", "3.0%"), "0.9 to 3.0%"),
        (span("3.0%", "3.0%"), "3.0%"),
        (span("–", "3.0%"), "– to 3.0%"),
        (span("999 B", "2 KiB"), "999 B to 2 KiB"),
        (span("0.9 ms", "3.0 ms"), "0.9 to 3.0 ms"),
    ],
)
def test_format(text: str, expected: str) -> None:
    assert text == expected
