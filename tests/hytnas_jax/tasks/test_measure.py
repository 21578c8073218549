"""Errors as people read them."""

import math

import pytest

from hytnas_jax.tasks.measure import ERROR, Measure

AP = Measure("AP", beside=("AP50", "AP50"))
SPREAD = ("20.0% (10.0 to 30.0)", "0.800 (0.700 to 0.900)")


@pytest.mark.parametrize(
    ("in_percent", "as_quality", "expected"),
    [
        (ERROR.number(0.18), AP.number(0.18), ("18.0%", "0.820")),
        (ERROR.number(math.nan), AP.number(math.nan), ("–", "–")),
        (ERROR.between(0.1, 0.25), AP.between(0.1, 0.25), ("10.0 to 25.0%", "0.750 to 0.900")),
        (ERROR.span(0.1, 0.25), AP.span(0.1, 0.25), ("10.0 to 25.0%", "0.750 to 0.900")),
        (ERROR.span(0.1, 0.1), AP.span(0.1, 0.1), ("10.0%", "0.900")),
        (ERROR.spread(0.2, 0.1, 0.3), AP.spread(0.2, 0.1, 0.3), SPREAD),
        (ERROR.label("error expected"), AP.label("AP expected"), ("error expected, %", "AP expected")),
    ],
)  # fmt: skip
def test_numbers_and_words(in_percent: str, as_quality: str, expected: tuple[str, str]) -> None:
    assert (in_percent, as_quality) == expected


def test_a_chart_shows_errors_in_per_cent_and_qualities_as_they_are() -> None:
    assert [measure.factor * measure.value(0.25) for measure in (ERROR, AP)] == [25, 0.75]


def test_the_quality_beside() -> None:
    assert AP.number_beside({"AP50": 0.5}) == "0.500"
    assert AP.number_beside({"AP50": None}) == AP.number_beside({}) == ERROR.number_beside({"AP50": 1}) == "–"
