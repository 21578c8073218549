"""Scatter and line charts as SVG: no script, no image; readable on a phone, colours from the page's CSS.

Letter: a chart has two axes, and series of points on them.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

# In SVG units; the drawing scales to the room that it is given.
WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 46
FONT, CHARACTER = 12, 7  # size, and about the width of a character
RADIUS = 4.5
PADDING = 0.06  # of the range, beyond the outermost points
# From this ratio of largest to smallest on, an axis is logarithmic.
LOG_RATIO = 10.0

Style = Literal["dots", "rings", "small", "line"]


@dataclasses.dataclass(frozen=True)
class Point:
    """A point; `label` stands beside it, `title` is shown on hovering. x_bar, y_bar: from where to where it
    may be, drawn as thin bars."""

    x: float
    y: float
    label: str = ""
    title: str = ""
    x_bar: tuple[float, float] | None = None
    y_bar: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Series:
    """Points of one meaning, in the page's colour number `colour` (1 to 4)."""

    label: str
    points: Sequence[Point]
    colour: int
    style: Style = "dots"


@dataclasses.dataclass(frozen=True)
class Axis:
    """`factor` multiplies the values shown, e.g. 100 for a fraction in per cent."""

    label: str
    factor: float = 1.0
    may_be_log: bool = False


def chart(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    links: Iterable[tuple[Point, Point]] = (),
    is_diagonal: bool = False,
) -> str:
    """An HTML figure: the SVG and, under it, its legend. Points that are not finite are left out.

    Args:
        series: later ones are drawn over earlier ones; all together need at least one finite point.
        x: what is drawn to the right.
        y: what is drawn upwards.
        links: pairs of points joined by a thin line.
        is_diagonal: both axes get the same range, and the line y = x.
    """
    series = [dataclasses.replace(s, points=[p for p in s.points if _is_finite(p)]) for s in series]
    points = [p for s in series for p in s.points]
    xs = [value * x.factor for p in points for value in (p.x, *(p.x_bar or ()))]
    ys = [value * y.factor for p in points for value in (p.y, *(p.y_bar or ()))]
    if is_diagonal:
        xs = ys = xs + ys
    across = _Scale.over(xs, LEFT, WIDTH - RIGHT, x.may_be_log)
    up = _Scale.over(ys, HEIGHT - BOTTOM, TOP, y.may_be_log)
    place = _Placer(across, up, x.factor, y.factor)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="{FONT}" '
        'font-family="system-ui, sans-serif" fill="currentColor">',
        f"<title>{escape(y.label)} over {escape(x.label)}</title>",
        *_grid(across, up, x.label, y.label),
    ]
    if is_diagonal:
        parts.append(_line([(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)], 'class="diagonal"'))
    parts += [
        _line([place(a), place(b)], 'class="link"') for a, b in links if _is_finite(a) and _is_finite(b)
    ]
    for one in series:
        parts += _draw(one, place)
    parts += _labels(series, place)
    return "\n".join(['<figure class="plot">', *parts, "</svg>", _legend(series), "</figure>"])


@dataclasses.dataclass(frozen=True)
class _Scale:
    """From values low..high to SVG coordinates begin..end."""

    low: float
    high: float
    begin: float
    end: float
    is_log: bool

    @staticmethod
    def over(values: Sequence[float], begin: float, end: float, may_be_log: bool) -> "_Scale":
        low, high = min(values), max(values)
        is_log = may_be_log and low > 0 and high / low >= LOG_RATIO
        if is_log:
            margin = (high / low) ** PADDING
            return _Scale(low / margin, high * margin, begin, end, True)
        margin = PADDING * (high - low) or 0.1 * abs(high) or 1.0
        # Nothing here is negative by nature: an axis does not go below zero for the margin's sake.
        low = max(0.0, low - margin) if low >= 0 else low - margin
        return _Scale(low, high + margin, begin, end, False)

    def __call__(self, value: float) -> float:
        if self.is_log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return round(self.begin + part * (self.end - self.begin), 1)

    def ticks(self) -> list[float]:
        """Round values within low..high: 1, 2, 5 times a power of ten."""
        if self.is_log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            candidates = [d * 10.0**e for e in range(first, last + 1) for d in (1, 2, 5)]
        else:
            raw = (self.high - self.low) / 5
            power = 10.0 ** math.floor(math.log10(raw))
            step = next(d * power for d in (1, 2, 5, 10) if d * power >= raw)
            candidates = [n * step for n in range(math.ceil(self.low / step), int(self.high / step) + 1)]
        return [tick for tick in candidates if self.low <= tick <= self.high]


@dataclasses.dataclass(frozen=True)
class _Placer:
    """From a point to SVG coordinates."""

    across: _Scale
    up: _Scale
    x_factor: float
    y_factor: float

    def __call__(self, point: Point) -> tuple[float, float]:
        return self.across(point.x * self.x_factor), self.up(point.y * self.y_factor)


def _is_finite(point: Point) -> bool:
    return math.isfinite(point.x) and math.isfinite(point.y)


def _grid(across: _Scale, up: _Scale, x_label: str, y_label: str) -> list[str]:
    parts = []
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in across.ticks():
        x = across(tick)
        parts.append(_line([(x, TOP), (x, bottom)], 'class="grid"'))
        parts.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{tick:,.6g}</text>')
    for tick in up.ticks():
        y = up(tick)
        parts.append(_line([(LEFT, y), (right, y)], 'class="grid"'))
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:,.6g}</text>')
    middle = (TOP + bottom) / 2
    parts.append(
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
    )
    parts.append(
        f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
    )
    return parts


def _draw(series: Series, place: _Placer) -> list[str]:
    if series.style == "line":
        return [_line([place(p) for p in series.points], f'class="line c{series.colour}"')]
    radius = RADIUS if series.style != "small" else RADIUS / 2
    marks = []
    for point in series.points:
        x, y = place(point)
        bars = [dataclasses.replace(point, x=end) for end in point.x_bar or ()]
        bars += [dataclasses.replace(point, y=end) for end in point.y_bar or ()]
        for low, high in zip(bars[::2], bars[1::2], strict=True):
            marks.append(_line([place(low), place(high)], f'class="bar c{series.colour}"'))
        title = f"<title>{escape(point.title)}</title>" if point.title else ""
        marks.append(
            f'<circle class="{series.style} c{series.colour}" cx="{x}" cy="{y}" r="{radius}">{title}</circle>'
        )
    return marks


def _labels(series: Sequence[Series], place: _Placer) -> list[str]:
    """The points' labels, each on the side where it covers the least."""
    taken = [place(p) for s in series if s.style != "line" for p in s.points]
    parts = []
    for point in (p for s in series for p in s.points if p.label):
        x, y = place(point)
        half = len(point.label) * CHARACTER / 2 + 2
        sides = [(half + 6, -7), (-half - 6, -7), (half + 6, 9), (-half - 6, 9), (0, -12), (0, 14)]

        def crowd(side: tuple[float, float], x: float = x, y: float = y, half: float = half) -> float:
            at_x, at_y = x + side[0], y + side[1]
            outside = not (LEFT < at_x < WIDTH - RIGHT and TOP < at_y < HEIGHT - BOTTOM)
            near = sum(abs(at_x - a) < half + 5 and abs(at_y - b) < 10 for a, b in taken)
            return near + 10 * outside

        dx, dy = min(sides, key=crowd)
        taken.append((x + dx, y + dy))
        text = escape(point.label)
        parts.append(
            f'<text class="label" x="{x + dx:.1f}" y="{y + dy + 4:.1f}" text-anchor="middle">{text}</text>'
        )
    return parts


def _line(points: Sequence[tuple[float, float]], attributes: str) -> str:
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline {attributes} points="{path}"/>'


def _legend(series: Sequence[Series]) -> str:
    entries = [
        f'<span><i class="{s.style} c{s.colour}"></i>{escape(s.label)}</span>' for s in series if s.points
    ]
    return f'<figcaption class="legend">{"".join(entries)}</figcaption>'
