"""The report's sections about what became of the front: error over cost, and beside what was expected."""

import dataclasses
import math
from collections.abc import Iterable

from hytnas_jax.report.chart import Axis, Point, Series, chart
from hytnas_jax.report.intervals import interval, interval_of_test
from hytnas_jax.report.page import missing, paragraph, section
from hytnas_jax.report.results import NetworkResult, Results
from hytnas_jax.tasks.measure import Measure

ONE_STD = 0.6827  # the part of a normal distribution within one standard deviation


@dataclasses.dataclass(frozen=True)
class _Cost:
    """What the networks are compared by beside their error, expected and as it came out."""

    label: str
    expected: dict[str, float]
    found: dict[str, float]
    is_measured: bool


def front_section(results: Results, command: str) -> str:
    """Error over cost, as it was expected before a network was retrained and as it became."""
    title, measure = "Quality against cost", results.project.task.measure
    networks = results.networks
    if not networks:
        return section(title, missing("No network has been retrained yet.", command))
    cost = _cost(networks)
    predicted, measured = (", predicted latency", ", measured latency") if cost.is_measured else ("", "")
    before, after = {}, {}
    for network in networks:
        key, retrained = network.letter, network.retrained
        before[key] = _expected_point(network, cost.expected[key], measure)
        after[key] = Point(
            cost.found[key],
            retrained.test_error,
            key,
            f"{key} retrained: {measure.number(retrained.test_error)} test {measure.name}",
            y_bar=interval_of_test(retrained, measure, ONE_STD),
        )
    series = [
        Series(f"expected before it was retrained{predicted}", [*before.values()], 3, "rings"),
        Series("front as expected", _front(before.values()), 3, "line"),
        Series("front that became", _front(after.values()), 1, "line"),
        Series(f"retrained: test images{measured}", [*after.values()], 1),
    ]
    figure = chart(
        [dataclasses.replace(one, points=[_told(point, measure) for point in one.points]) for one in series],
        Axis(cost.label, may_be_log=True),
        Axis(measure.label(measure.name), factor=measure.factor),
        links=[(_told(before[key], measure), _told(after[key], measure)) for key in before],
    )
    text = (
        f"{'Down' if measure.is_error else 'Up'} and to the left is better; bars are one standard deviation "
        "to either side."
    )
    if any(math.isfinite(point.x) and math.isfinite(point.y) for point in before.values()):
        text += (
            " What was expected of a network was learnt from those retrained before it (of the first, "
            "nothing was known); thin lines join it with what the network became."
        )
    stopped = results.steps["retrain"].summary.get("stopped") if "retrain" in results.steps else None
    said = [paragraph(f"{stopped[0].upper()}{stopped[1:]}.", "dim")] if stopped else []
    return section(title, paragraph(text), *said, f'<div class="wide">{figure}</div>')


def expected_section(results: Results) -> str:
    """What was expected of each network before it was retrained, beside what it became, on one scale."""
    points, measure = [], results.project.task.measure
    for network in results.networks or ():
        retrained, expected = network.retrained, network.retrained.expected
        if expected is None:
            continue
        became, images = retrained.validation_error, results.steps["data"].summary["validation"]
        point = Point(
            expected.error,
            became,
            network.letter,
            f"{network.letter}: expected {expected.told(measure)}, became {measure.number(became)}",
            x_bar=(expected.low, expected.high),
            y_bar=interval(became, retrained.validation_deviation, images, measure, ONE_STD),
        )
        points.append(_told(point, measure, is_x_too=True))
    if not points:
        return ""
    text = (
        "What was expected of a network, learnt from those retrained before it, and what it became, on the "
        "images of the validation split. Bars are one standard deviation to either side; on the dashed line "
        "it became what was expected."
    )
    figure = chart(
        [Series("a retrained network", points, 1)],
        Axis(measure.label(f"{measure.name} expected"), factor=measure.factor),
        Axis(measure.label(f"{measure.name} after retraining"), factor=measure.factor),
        is_diagonal=True,
    )
    return section("Expected and became", paragraph(text), f'<div class="wide">{figure}</div>')


def _expected_point(network: NetworkResult, cost: float, measure: Measure) -> Point:
    """Not finite where nothing was expected."""
    expected = network.retrained.expected
    if expected is None:
        return Point(cost, math.nan)
    title = f"{network.letter} expected: {expected.told(measure)}"
    return Point(cost, expected.error, "", title, y_bar=(expected.low, expected.high))


def _told(point: Point, measure: Measure, *, is_x_too: bool = False) -> Point:
    """A point whose y, or x too, is an error, as a chart shows it."""

    def bar(ends: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if ends is None else (measure.value(ends[0]), measure.value(ends[1]))

    point = dataclasses.replace(point, y=measure.value(point.y), y_bar=bar(point.y_bar))
    if is_x_too:
        point = dataclasses.replace(point, x=measure.value(point.x), x_bar=bar(point.x_bar))
    return point


def _front(points: Iterable[Point]) -> list[Point]:
    """Of the finite points those that no other is as cheap as and better than, from the cheapest."""
    front: list[Point] = []
    for point in sorted((p for p in points if math.isfinite(p.x + p.y)), key=lambda p: (p.x, p.y)):
        if not front or point.y < front[-1].y:
            front.append(point)
    return front


def _cost(networks: tuple[NetworkResult, ...]) -> _Cost:
    """Measured latency where there is one, predicted where there is that, else parameters."""
    predicted = {n.letter: n.predicted_ms for n in networks}
    if all(n.card is not None for n in networks):
        measured = {n.letter: n.measured_ms for n in networks}
        return _Cost("latency of one image, ms", predicted, measured, True)
    if all(math.isfinite(value) for value in predicted.values()):
        return _Cost("predicted latency of one image, ms", predicted, predicted, False)
    counted = {n.letter: float(n.complexity.num_parameters) for n in networks}
    return _Cost("parameters", counted, counted, False)
