"""The report's sections about whether estimates can be trusted: the retrained networks, and the study."""

import math

from hytnas_jax.accuracy.agreement import ALL, BANDS, Interval
from hytnas_jax.accuracy.estimates import ACCURACY, BLENDED
from hytnas_jax.numbers import DASH, counted, percent
from hytnas_jax.report.chart import Axis, Point, Series, chart
from hytnas_jax.report.page import details, paragraph, section, table
from hytnas_jax.report.results import Results
from hytnas_jax.report.study_result import StudyResult
from hytnas_jax.shared_flags.objective_names import error_of
from hytnas_jax.study_ranking.bias_table import ABOUT, bias_rows, headers
from hytnas_jax.study_ranking.results import OBJECTIVES
from proxies.ranking import MIN_PAIRS, kendall_tau

FEW_NETWORKS = 10  # below, an interval of a rank correlation says little


def ranking_section(results: Results) -> str:
    """Whether the search's estimates order the networks as their retraining does."""
    title, measure = "Did the search rank networks rightly?", results.project.task.measure
    values = f"{measure.name}s"
    if not results.networks:
        return ""
    pairs = [(n.retrained.estimated_error, n.retrained.validation_error) for n in results.networks]
    if all(math.isnan(estimated) for estimated, _ in pairs):
        return section(title, paragraph(f"The search did not estimate {values}.", "missing"))
    points = [
        Point(
            measure.value(a),
            measure.value(b),
            n.letter,
            f"{n.letter}: estimated {measure.number(a)}, retrained {measure.number(b)}",
        )
        for n, (a, b) in zip(results.networks, pairs, strict=True)
    ]
    figure = chart(
        [Series("a retrained network", points, 1)],
        Axis(measure.label(f"{measure.name} as the search had it"), factor=measure.factor),
        Axis(measure.label(f"{measure.name} after retraining"), factor=measure.factor),
    )
    agreement = kendall_tau(*zip(*pairs, strict=True))
    if math.isnan(agreement.tau):
        verdict = paragraph(
            f"Kendall's tau cannot be told: it needs {MIN_PAIRS} networks and {values} that differ.",
            "warning",
        )
    else:
        text = (
            f"Kendall's tau {agreement.tau:.2f}, 95% interval {agreement.low:.2f} to {agreement.high:.2f}, "
            f"{agreement.n} networks (1: the same order, 0: none, -1: reversed)."
        )
        verdict = paragraph(text) + _ranking_warning(agreement.low, agreement.n, values)
    return section(
        title,
        paragraph(
            f"Both {values} are on the same images, those of the validation split, and not on one scale."
        ),
        verdict,
        f'<div class="wide">{figure}</div>',
    )


def study_section(results: Results, command: str) -> str:
    """How every estimate ranks networks that were trained on their own for that; nothing without a search."""
    title, study = "How far can the estimates be trusted?", results.study
    if study is None:
        if results.search is None:
            return ""
        return section(
            title, paragraph(f"That is not known. To find out, train some on their own: {command}")
        )
    used, quality = _searched_by(results), results.project.task.quality
    parts = [
        paragraph(
            "Networks from the cheapest to the dearest were trained on their own, and each estimate is "
            f"compared with their {quality}: Kendall's tau (1: the same order, 0: none) with the middle 95% "
            "of what resampled networks give, over all of them and within thirds of cost."
        ),
        *(paragraph(remark, "dim") for remark in study.remarks),
        *(paragraph(warning, "warning") for warning in study.warnings),
    ]
    if not study.is_current:
        parts.append(
            paragraph("The supernet has been trained anew since: run study_ranking again.", "warning")
        )
    parts += [_study_table(study), f'<div class="wide">{_study_chart(study, used, quality)}</div>']
    return section(title, *parts, *_where_they_err(study))


def _where_they_err(study: StudyResult) -> list[str]:
    """What is clear, and the tables behind it, folded."""
    said = [paragraph(sentence) for sentence in study.where]
    if not study.biases:
        return said
    titles = headers(study.biases)
    raw, beyond = (
        table(titles, bias_rows(study.biases, beyond_macs=given), num_text=1) for given in (False, True)
    )
    body = [paragraph(ABOUT, "dim"), raw, paragraph("The same with the networks' log MACs partialled out:")]
    return [*said, details("Where the estimates err, gene by gene", "".join([*body, beyond]))]


def _searched_by(results: Results) -> str:
    """The study's name of the estimate that the search went by; the blended one where it went by none."""
    name = None if results.search is None else error_of([o.name for o in results.search.objectives])
    return BLENDED if name is None else OBJECTIVES[name]


def _study_table(study: StudyResult) -> str:
    """The best first; at last what is possible at most."""
    rows = [
        (name, *(_tau(bands[band]["tau"]) for band in (ALL, *BANDS)))
        for name, bands in sorted(study.agreement.items(), key=lambda item: -_value(item[1][ALL]["tau"]))
    ]
    if study.ceiling:
        most = (_tau(study.ceiling[band]) for band in (ALL, *BANDS))
        rows.append(("perfect knowledge, at most", *most))
    return table(("estimate", "tau", *(f"within {band}" for band in BANDS)), rows, num_text=1)


def _study_chart(study: StudyResult, used: str, quality: str) -> str:
    """The quality after training over the estimate that the search used."""
    estimate = study.estimates.get(used, study.estimates[ACCURACY])
    points = [
        Point(x, y, "", f"{name}: estimate {percent(x)}, trained {percent(y)}")
        for name, x, y in zip(study.names, estimate, study.accuracy, strict=True)
    ]
    return chart(
        [Series("a network of the study", points, 1)],
        Axis(f"{used}, %", factor=100),
        Axis(f"{quality} after training on its own, %", factor=100),
    )


def _tau(interval: dict[str, float] | None) -> str:
    return DASH if interval is None else str(Interval(**interval))


def _value(interval: dict[str, float] | None) -> float:
    return -math.inf if interval is None else interval["value"]


def _ranking_warning(low: float, num_networks: int, values: str) -> str:
    if num_networks < FEW_NETWORKS:
        return paragraph(
            f"{counted(num_networks, 'network is', 'networks are')} few: "
            f"take this number and its interval with caution. Retrain more "
            "networks to know better.",
            "warning",
        )
    if low <= 0:
        return paragraph(
            "The interval holds 0: the estimates may not rank these networks at all. Train the supernet for "
            f"longer, or trust only the retrained {values}.",
            "warning",
        )
    return ""
