"""The report's sections about the retrained networks: the front, the table, the drawings."""

import dataclasses
import math
from html import escape

from scipy.stats import binomtest

from hytnas_jax.reporting.block_diagram import COLOURS, block_diagram
from hytnas_jax.reporting.chart import Axis, Point, Series, chart
from hytnas_jax.reporting.formats import DASH, count, milliseconds, percent, size
from hytnas_jax.reporting.page import missing, paragraph, section, table
from hytnas_jax.reporting.results import NetworkResult, Results
from hytnas_jax.search_results import ESTIMATED


@dataclasses.dataclass(frozen=True)
class _Cost:
    """What the networks are compared by beside their error, expected and as it came out."""

    label: str
    expected: dict[str, float]
    found: dict[str, float]
    is_measured: bool


def front_section(results: Results, command: str) -> str:
    """Error over cost, as the search expected it and after retraining."""
    title = "Accuracy against cost"
    networks = results.networks
    if not networks:
        return section(title, missing("No network has been retrained yet.", command))
    cost = _cost(networks)
    predicted, measured = (", predicted latency", ", measured latency") if cost.is_measured else ("", "")
    before, after = {}, {}
    for network in networks:
        key = network.letter
        expected, found = network.retrained.expected_error, network.retrained.test_error
        before[key] = Point(cost.expected[key], expected, "", f"{key} expected: {percent(expected)} error")
        after[key] = Point(cost.found[key], found, key, f"{key} retrained: {percent(found)} test error")
    figure = chart(
        [
            Series(f"expected by the search: supernet's weights{predicted}", [*before.values()], 3, "rings"),
            Series(f"retrained: test pictures{measured}", [*after.values()], 1),
        ],
        Axis(cost.label, may_be_log=True),
        Axis("error, %", factor=100),
        links=[(before[key], after[key]) for key in before],
    )
    text = "Down and to the left is better."
    if any(math.isfinite(point.x) and math.isfinite(point.y) for point in before.values()):
        text += " The lines join what the search expected of a network and what it became."
        text += expected_words(results)
    return section(title, paragraph(text), f'<div class="wide">{figure}</div>')


def table_section(results: Results) -> str:
    """All numbers of all retrained networks."""
    if not results.networks:
        return ""
    headers = (
        *("", "network", "role", "test error", "95 % interval", "search error", "expected error"),
        *("parameters", "MACs", "peak memory", "in int8", "TFLite int8"),
        *("predicted", "measured", "file", "files"),
    )
    rows = [_row(network) for network in results.networks]
    tested = results.networks[0].retrained.result["test_pictures"]
    text = (
        f"Test error is on {tested:,} pictures that neither the search nor the training has seen; search "
        "error on the pictures that the search chose by."
    ) + expected_words(results)
    return section("The networks in numbers", paragraph(text), table(headers, rows, num_text=3))


def expected_words(results: Results) -> str:
    """What the error is that the search went by, where it went by one; begins with a space."""
    names = [] if results.search is None else [objective.name for objective in results.search.objectives]
    if "error" in names:
        return f" The expected error is {ESTIMATED}."
    if "trained_error" in names:
        return " The expected error is the search's estimate of the error after training."
    return ""


def blocks_section(results: Results) -> str:
    """Each network drawn block by block."""
    if not results.networks:
        return ""
    swatches = "".join(
        f'<span><i class="swatch" style="background:{COLOURS[family]};border:0"></i>{label}</span>'
        for family, label in (("conv", "convolution"), ("attention", "attention"), ("head", "head"))
    )
    cards = []
    for network in results.networks:
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in _facts(network))
        cards.append(
            f'<div class="card"><h3>{network.letter} · {escape(network.retrained.name)}</h3>'
            f'<ul class="facts">{facts}</ul>{block_diagram(network.retrained.spec)}</div>'
        )
    return section(
        "The networks block by block",
        paragraph(
            "Beside each block is the size of its output, height × width × channels; the grey shape is as "
            "high as the map and as wide as it has channels. Point at a block for its parameters, MACs "
            "and memory."
        ),
        f'<p class="legend">{swatches}</p>',
        f'<div class="grid">{"".join(cards)}</div>',
    )


def error_interval(error: float, num_pictures: int) -> tuple[float, float]:
    """95 % interval of an error rate seen on so many pictures (Wilson, JASA 22, 1927)."""
    interval = binomtest(round(error * num_pictures), num_pictures).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _cost(networks: tuple[NetworkResult, ...]) -> _Cost:
    """Measured latency where there is one, predicted where there is that, else parameters."""
    predicted = {n.letter: n.predicted_ms for n in networks}
    if all(n.card is not None for n in networks):
        measured = {n.letter: n.measured_ms for n in networks}
        return _Cost("latency of one picture, ms", predicted, measured, True)
    if all(math.isfinite(value) for value in predicted.values()):
        return _Cost("predicted latency of one picture, ms", predicted, predicted, False)
    counted = {n.letter: float(n.complexity.num_parameters) for n in networks}
    return _Cost("parameters", counted, counted, False)


def _row(network: NetworkResult) -> tuple[str, ...]:
    retrained, total = network.retrained, network.complexity
    low, high = error_interval(retrained.test_error, retrained.result["test_pictures"])
    return (
        network.letter,
        retrained.name,
        retrained.role,
        percent(retrained.test_error),
        f"{100 * low:.1f} to {100 * high:.1f} %",
        percent(retrained.search_error),
        percent(retrained.expected_error),
        count(total.num_parameters),
        count(total.num_macs),
        size(total.peak_activation_bytes),
        size(total.peak_activation_bytes_int8),
        size(total.model_bytes_int8),
        milliseconds(network.predicted_ms),
        milliseconds(network.measured_ms),
        DASH if network.card is None else size(network.card["size"]["file_bytes"]),
        f"retrain/{retrained.name}" if network.card is None else f"export/{retrained.name}",
    )


def _facts(network: NetworkResult) -> list[str]:
    facts = [
        network.retrained.role,
        f"{percent(network.retrained.test_error)} test error",
        f"{count(network.complexity.num_parameters)} parameters",
        f"{count(network.complexity.num_macs)} MACs",
    ]
    if network.card is not None:
        facts.append(milliseconds(network.measured_ms))
    return facts
