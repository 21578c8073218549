"""The report's section about devices that kits have measured."""

from typing import Any

from hytnas_jax.numbers import DASH, percent
from hytnas_jax.report.chart import Axis, Point, Series, chart
from hytnas_jax.report.page import paragraph, section, table
from hytnas_jax.report.results import Results

NUM_COLOURS = 4


def devices_section(results: Results) -> str:
    """A row for each device, and the front's networks there: measured over predicted."""
    if not results.devices:
        return ""
    text = (
        "What kits have measured, each device with a predictor of its own. The error is that on networks "
        "held out; the front's, that on networks of the front, by a predictor that has not seen them."
    )
    headers = ("device", "runtime", "processor", "threads", "networks", "error", "Spearman", "front's error")
    rows = [_row(name, found) for name, found in results.devices.items()]
    fronts = [
        Series(name, _points(name, found["front"]), 1 + index % NUM_COLOURS)
        for index, (name, found) in enumerate(results.devices.items())
        if found["front"] is not None
    ]
    parts = [paragraph(text), table(headers, rows, num_text=3)]
    if fronts:
        figure = chart(
            fronts,
            Axis("measured latency, ms", may_be_log=True),
            Axis("predicted latency, ms", may_be_log=True),
            is_diagonal=True,
        )
        parts.append(f'<div class="wide">{figure}</div>')
    return section("The devices", *parts)


def _row(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    device, error, front = found["device"], found["error"], found["front"]
    return (
        name,
        device["runtime"],
        device["processor"],
        device["threads"],
        str(error["num_networks"]),
        percent(error["mape"]),
        f"{error['spearman']:.3f}",
        DASH if front is None else percent(front["error"]["mape"]),
    )


def _points(name: str, front: dict[str, Any]) -> list[Point]:
    return [
        Point(measured, predicted, "", f"{network} on {name}: measured {measured:.3g} ms")
        for network, predicted, measured in zip(
            front["networks"], front["predicted_ms"], front["measured_ms"], strict=True
        )
    ]
