"""Where points come to lie, ticks, and that what is drawn is well-formed."""

import math
import xml.etree.ElementTree as ET

import pytest

from hytnas_jax.report.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Point,
    Series,
    _Scale,
    chart,
)


def circles(html: str) -> list[tuple[float, float]]:
    return [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in ET.fromstring(html).iter("circle")]


def test_right_is_more_and_up_is_more() -> None:
    html = chart([Series("s", [Point(1, 10), Point(2, 30)], 1)], Axis("x"), Axis("y"))
    (x1, y1), (x2, y2) = circles(html)
    assert LEFT < x1 < x2 < WIDTH - RIGHT
    assert TOP < y2 < y1 < HEIGHT - BOTTOM


def test_what_is_not_finite_is_left_out() -> None:
    points = [Point(1, 1), Point(math.nan, 2), Point(3, math.inf)]
    html = chart([Series("s", points, 1)], Axis("x"), Axis("y"), links=[(points[0], points[1])])
    assert len(circles(html)) == 1
    assert 'class="link"' not in html
    assert "nan" not in html


def test_bars_are_within_the_axes_and_meet_in_their_point() -> None:
    point = Point(0.2, 0.1, x_bar=(0.1, 0.5), y_bar=(0.0, 0.4))
    html = chart([Series("s", [point], 1)], Axis("x", factor=100), Axis("y"))
    ((x, y),) = circles(html)
    across, up = (
        [tuple(map(float, end.split(","))) for end in line.get("points", "").split()]
        for line in ET.fromstring(html).iter("polyline")
        if line.get("class") == "bar c1"
    )
    assert [end[1] for end in across] == [y, y]
    assert [end[0] for end in up] == [x, x]
    assert LEFT < across[0][0] < x < across[1][0] < WIDTH - RIGHT
    assert HEIGHT - BOTTOM >= up[0][1] > y > up[1][1] > TOP


def test_equal_points_have_a_range() -> None:
    assert len(circles(chart([Series("s", [Point(0, 0), Point(0, 0)], 1)], Axis("x"), Axis("y")))) == 2


def test_factor_labels_titles_and_escaping() -> None:
    point = Point(1, 0.05, "<A>", "5% & less")
    html = chart([Series("a & b", [point], 2, "rings")], Axis("x"), Axis("error < 1, %", factor=100))
    texts = set(ET.fromstring(html).itertext())
    assert {"<A>", "5% & less", "a & b", "error < 1, %", "5"} <= texts


def test_a_series_without_points_is_not_in_the_legend() -> None:
    html = chart([Series("none", [], 1), Series("some", [Point(1, 1)], 2)], Axis("x"), Axis("y"))
    assert "some" in html
    assert "none<" not in html


def test_diagonal_joins_the_corners() -> None:
    html = chart([Series("s", [Point(1, 3), Point(2, 8)], 1)], Axis("x"), Axis("y"), is_diagonal=True)
    assert f'class="diagonal" points="{LEFT},{HEIGHT - BOTTOM} {WIDTH - RIGHT},{TOP}"' in html
    (x, y), _ = circles(html)
    assert (x - LEFT) / (WIDTH - RIGHT - LEFT) < (HEIGHT - BOTTOM - y) / (HEIGHT - BOTTOM - TOP)  # 3 over 1


def test_linear_ticks() -> None:
    assert _Scale(0.0, 10.0, 0, 100, False).ticks() == [0, 2, 4, 6, 8, 10]
    assert _Scale(0.03, 0.12, 0, 100, False).ticks() == pytest.approx([0.04, 0.06, 0.08, 0.1, 0.12])


def test_logarithmic_from_a_ratio_of_ten_on() -> None:
    assert not _Scale.over([1.0, 9.9], 0, 100, True).is_log
    assert not _Scale.over([0.0, 99.0], 0, 100, True).is_log
    assert not _Scale.over([1.0, 99.0], 0, 100, False).is_log
    scale = _Scale.over([1.0, 100.0], 0, 100, True)
    assert scale.is_log
    assert scale(10.0) == 50.0
    assert scale.ticks() == [1, 2, 5, 10, 20, 50, 100]


def test_labels_of_near_points_do_not_cover_each_other() -> None:
    points = [Point(1, 1, "A"), Point(1.0001, 1, "B"), Point(0, 0), Point(2, 2)]
    svg = ET.fromstring(chart([Series("s", points, 1)], Axis("x"), Axis("y")))
    a, b = (
        (float(t.get("x", "")), float(t.get("y", ""))) for t in svg.iter("text") if t.get("class") == "label"
    )
    assert abs(a[0] - b[0]) > 7 or abs(a[1] - b[1]) > 9
