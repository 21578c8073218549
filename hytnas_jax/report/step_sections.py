"""The report's sections about the steps before retraining: search, latency predictor."""

import numpy as np

from hytnas_jax.mobo import hypervolume_history
from hytnas_jax.numbers import counted, percent
from hytnas_jax.report.chart import Axis, Point, Series, chart
from hytnas_jax.report.network_sections import estimate_words
from hytnas_jax.report.page import missing, paragraph, section
from hytnas_jax.report.results import NetworkResult, Results, SearchResult, Values
from hytnas_jax.search.pareto_file import SearchObjective
from hytnas_jax.search.recalibration import Recalibrated
from hytnas_jax.shared_flags.objective_names import ERRORS
from hytnas_jax.tasks.measure import Measure

WIDE_ERROR = 0.15  # mean error of predicted latencies from which on the reader is warned


def search_section(results: Results, command: str) -> str:
    """What was evaluated, and how the hypervolume grew beside random search's."""
    title, search = "The search", results.search
    if search is None:
        return section(title, missing("The search has not ended yet.", command))
    measure = results.project.task.measure
    names = " and ".join(_axis_label(o, measure) for o in search.objectives)
    text = (
        f"{counted(len(search.values), 'network was', 'networks were')} evaluated for {names}; "
        f"{counted(len(search.front), 'of them is', 'of them are')} on the "
        "Pareto front: no evaluated network is better in everything."
    ) + estimate_words(results)
    charts = [_evaluations_chart(search, m, measure) for m in range(1, len(search.objectives))]
    return section(
        title,
        paragraph(text),
        f'<div class="pair">{"".join([*charts, _hypervolume_chart(search)])}</div>',
        paragraph(_hypervolume_words(search)),
        _extrapolation_warning(search),
    )


def latency_section(results: Results, command: str) -> str:
    """How good predicted latencies are."""
    title, latency = "The latency predictor", results.latency
    if latency is None:
        return section(title, missing("No latency has been measured.", command))
    error, cpu = latency.error, results.steps["latency"].environment["cpu"]
    parts = [
        paragraph(
            f"Fitted on {error.num_networks} networks measured on {cpu} (ONNX Runtime, one thread). On "
            f"networks held out it is off by {percent(error.mape)} in the mean, and ranks them with a "
            f"Spearman correlation of {error.spearman:.3f}."
        )
    ]
    if error.mape > WIDE_ERROR:
        parts.append(
            paragraph("That is much: measure on an idle machine, or measure more networks.", "warning")
        )
    parts.append(_measured_on_the_way(results))
    held_out = [
        Point(x, y, "", f"measured {x:.3g} ms, predicted {y:.3g} ms")
        for x, y in zip(latency.measured_ms.tolist(), latency.predicted_ms.tolist(), strict=True)
    ]
    exported = [
        Point(n.measured_ms, n.predicted_ms, n.letter, f"{n.letter}: measured {n.measured_ms:.3g} ms")
        for n in _compared(results)
    ]
    if held_out or exported:
        series = [
            Series("held-out networks", held_out, 3),
            Series("exported networks, measured again", exported, 1),
        ]
        figure = chart(
            series,
            Axis("measured latency, ms", may_be_log=True),
            Axis("predicted latency, ms", may_be_log=True),
            is_diagonal=True,
        )
        parts.append(f'<div class="wide">{figure}</div>')
    return section(title, *parts)


def _measured_on_the_way(results: Results) -> str:
    """How good the predictor was on the networks that the search has measured."""
    search = results.steps.get("search")
    found = search.summary.get("measured") if search is not None else None
    if not found or not found["networks"]:
        return ""
    return paragraph(f"The search has {Recalibrated(**found).in_words()}.")


def _compared(results: Results) -> list[NetworkResult]:
    """The exported networks whose latency was predicted too."""
    return [n for n in results.networks or () if n.measured_ms > 0 and n.predicted_ms > 0]


def _evaluations_chart(search: SearchResult, m: int, measure: Measure) -> str:
    """The first objective over objective `m`."""
    objectives = search.objectives[m], search.objectives[0]

    def points(values: Values) -> list[Point]:
        told = [
            [measure.value(value) if objective.name in ERRORS else value for value in column]
            for objective, column in zip(objectives, values[:, [m, 0]].T.tolist(), strict=True)
        ]
        return [Point(x, y) for x, y in zip(*told, strict=True)]

    random = [] if search.random is None else points(search.random)
    series = [
        Series("random search", random, 3, "small"),
        Series("search", points(search.values), 1, "small"),
        Series("Pareto front", points(search.front), 2),
    ]
    return chart(series, *(_axis(objective, measure) for objective in objectives))


def _hypervolume_chart(search: SearchResult) -> str:
    series = []
    for label, values, colour in (("random search", search.random, 3), ("search", search.values, 1)):
        if values is not None:
            history = enumerate(_history(search, values).tolist(), start=1)
            series.append(Series(label, [Point(n, volume) for n, volume in history], colour, "line"))
    return chart(series, Axis("networks evaluated"), Axis("hypervolume (more is better)"))


def _hypervolume_words(search: SearchResult) -> str:
    """Where the search stands against random search, in numbers."""
    start = f"The first {search.num_initial} evaluations are drawn at random. "
    if search.random is None:
        return start + "There was no random search to compare with."
    history, random = _history(search, search.values), _history(search, search.random)
    needed, needed_at_random = (int(np.searchsorted(h, random[-1])) + 1 for h in (history, random))
    text = f"Hypervolume at the end: search {history[-1]:.4g}, random search {random[-1]:.4g}. "
    if needed_at_random <= search.num_initial:
        return f"{start}{text}Random search found nothing that adds to these first ones."
    if needed > len(history):
        return f"{start}{text}The search did not reach what random search reached."
    return (
        f"{start}{text}The search reached after {counted(needed, 'evaluation')} "
        f"what random search reached after {needed_at_random}."
    )


def _extrapolation_warning(search: SearchResult) -> str:
    if not search.num_extrapolated:
        return ""
    front = f"of {counted(len(search.front), 'network')} on the front"
    return paragraph(
        f"{counted(search.num_extrapolated, f'{front} is', f'{front} are')} unlike those that the latency "
        "predictor was fitted on: their predicted latency is an extrapolation. Trust measured ones.",
        "warning",
    )


def _history(search: SearchResult, values: Values) -> Values:
    return hypervolume_history(values, [o.direction for o in search.objectives], search.reference)


def _axis(objective: SearchObjective, measure: Measure) -> Axis:
    if objective.name in ERRORS:
        return Axis(measure.label(f"expected {measure.name}"), factor=measure.factor)
    return Axis(_axis_label(objective, measure), may_be_log=True)


def _axis_label(objective: SearchObjective, measure: Measure) -> str:
    if objective.name in ERRORS and not measure.is_error:
        return f"{measure.name} after training" if objective.name == "trained_error" else measure.name
    name = objective.name.removesuffix("_ms").replace("_", " ")
    has_unit = objective.unit and objective.unit.lower() != name.lower()
    return f"{name} ({objective.unit})" if has_unit else name
