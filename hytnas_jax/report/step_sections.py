"""The report's sections about the steps before retraining: search, latency predictor, supernet."""

from collections.abc import Sequence

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
from hytnas_jax.training.init_from import read_origins

CURVE_POINTS = 150  # of a training curve; each is the mean of the steps around it
WIDE_ERROR = 0.15  # mean error of predicted latencies from which on the reader is warned


def search_section(results: Results, command: str) -> str:
    """What was evaluated, and how the hypervolume grew beside random search's."""
    title, search = "The search", results.search
    if search is None:
        return section(title, missing("The search has not ended yet.", command))
    names = " and ".join(_axis_label(o) for o in search.objectives)
    text = (
        f"{counted(len(search.values), 'network was', 'networks were')} evaluated for {names}; "
        f"{counted(len(search.front), 'of them is', 'of them are')} on the "
        "Pareto front: no evaluated network is better in everything."
    ) + estimate_words(results)
    charts = [_evaluations_chart(search, m) for m in range(1, len(search.objectives))]
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


def supernet_section(results: Results, command: str) -> str:
    """How the supernet's training went."""
    title = "The supernet"
    if results.training is None:
        return section(title, missing("The supernet's training has not ended yet.", command))
    summary = results.steps["supernet"].summary
    largest, smallest = (percent(summary[f"{which}_accuracy"]) for which in ("largest", "smallest"))
    random = summary["random_accuracies"]
    text = (
        f"Accuracy on the validation split with the supernet's weights: largest subnet {largest}, smallest "
        f"{smallest}, median of {len(random)} random ones {percent(float(np.median(random)))}."
    )
    origins = read_origins(results.project.workdir.step("supernet"))
    if origins:
        before = "; before that, ".join(origin.in_words() for origin in origins)
        text += f" It began with the weights of another supernet, all but the classifier's: {before}."
    if not results.training:
        return section(title, paragraph(text))
    charts = (
        _curves(
            results.training, {"loss": "largest subnet", "subnet_loss": "other subnets"}, Axis("loss, nats")
        ),
        _curves(
            results.training,
            {"accuracy": "largest subnet", "subnet_accuracy": "other subnets"},
            Axis("accuracy on training batches, %", factor=100),
        ),
    )
    return section(title, paragraph(text), f'<div class="pair">{"".join(charts)}</div>')


def _compared(results: Results) -> list[NetworkResult]:
    """The exported networks whose latency was predicted too."""
    return [n for n in results.networks or () if n.measured_ms > 0 and n.predicted_ms > 0]


def _evaluations_chart(search: SearchResult, m: int) -> str:
    """The first objective over objective `m`."""

    def points(values: Values) -> list[Point]:
        return [Point(x, y) for x, y in values[:, [m, 0]].tolist()]

    random = [] if search.random is None else points(search.random)
    series = [
        Series("random search", random, 3, "small"),
        Series("search", points(search.values), 1, "small"),
        Series("Pareto front", points(search.front), 2),
    ]
    return chart(series, _axis(search.objectives[m]), _axis(search.objectives[0]))


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


def _axis(objective: SearchObjective) -> Axis:
    is_fraction = objective.name in ERRORS
    label = "expected error, %" if is_fraction else _axis_label(objective)
    return Axis(label, factor=100 if is_fraction else 1, may_be_log=not is_fraction)


def _axis_label(objective: SearchObjective) -> str:
    name = objective.name.removesuffix("_ms").replace("_", " ")
    has_unit = objective.unit and objective.unit.lower() != name.lower()
    return f"{name} ({objective.unit})" if has_unit else name


def _curves(training: Sequence[dict[str, float]], labels: dict[str, str], y: Axis) -> str:
    """Lines of the metrics named by `labels`, each point a mean of neighbouring steps."""
    bins = np.array_split(np.arange(len(training)), min(CURVE_POINTS, len(training)))
    series = []
    for colour, (key, label) in enumerate(labels.items(), start=1):
        if key in training[0]:
            points = [
                Point(
                    float(np.mean([training[i]["step"] for i in rows])),
                    float(np.mean([training[i][key] for i in rows])),
                )
                for rows in bins
            ]
            series.append(Series(label, points, colour, "line"))
    return chart(series, Axis("step"), y)
