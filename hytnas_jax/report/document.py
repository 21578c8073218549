"""The report as one HTML document: the key result on top, then what it rests on."""

import json
from html import escape
from typing import Any

from hytnas_jax.numbers import DASH, counted, duration, milliseconds, span
from hytnas_jax.report.dense_sections import classes_section, examples_section, failures_section
from hytnas_jax.report.device_sections import devices_section
from hytnas_jax.report.file_sections import files_section
from hytnas_jax.report.front_sections import expected_section, front_section
from hytnas_jax.report.network_sections import blocks_section, table_section
from hytnas_jax.report.page import details, page, paragraph, section, table, tiles
from hytnas_jax.report.ranking_sections import ranking_section, study_section
from hytnas_jax.report.results import STEPS, NetworkResult, Results
from hytnas_jax.report.step_sections import latency_section, search_section
from hytnas_jax.report.supernet_section import supernet_section
from hytnas_jax.tasks.measure import Measure
from hytnas_jax.workspace.mirroring import read_mirroring
from hytnas_jax.workspace.workdir import changed_since, command_line


def report_html(results: Results) -> str:
    """The whole document; it refers to nothing outside itself."""
    title = f"{results.project.source} · {results.project.space.name}"
    commands = {step: _command(step, results) for step in STEPS}
    sections = [
        _head(results, title),
        front_section(results, commands["retrain"]),
        table_section(results),
        examples_section(results),
        classes_section(results),
        failures_section(results),
        files_section(results),
        blocks_section(results),
        expected_section(results),
        ranking_section(results),
        study_section(results, command_line("study_ranking", results.project.workdir.path)),
        search_section(results, commands["search"]),
        latency_section(results, commands["latency"]),
        devices_section(results),
        supernet_section(results, commands["supernet"]),
        _time_section(results, commands),
        _made_with_section(results),
    ]
    return page(f"{title} · hytnas_jax", "\n".join(sections))


def key_result(results: Results) -> str:
    """The report in one sentence."""
    networks = results.networks
    if networks:
        return _networks_in_words(networks, results.project.task.measure)
    if results.search is not None:
        return (
            f"{counted(len(results.search.front), 'network')} on the Pareto front of "
            f"{counted(len(results.search.values), 'evaluated one')}; none has been retrained yet."
        )
    if "supernet" in results.steps:
        return "The supernet is trained; nothing has been searched yet."
    return "The data set is prepared; nothing has been trained yet."


def _networks_in_words(networks: tuple[NetworkResult, ...], measure: Measure) -> str:
    errors = [n.retrained.test_error for n in networks]
    between = measure.span(min(errors), max(errors))
    sentence = f"{counted(len(networks), 'network')} of {between} test {measure.name}"
    cards = [n.card for n in networks if n.card is not None]
    if not cards:
        return f"{sentence}; not exported and measured yet."
    times = [n.measured_ms for n in networks]
    cpu = cards[0]["latency"]["cpu"]
    return f"{sentence}, {span(milliseconds(min(times)), milliseconds(max(times)))} an image on {cpu}."


def _head(results: Results, title: str) -> str:
    project = results.project
    counts = results.steps["data"].summary
    mirroring = read_mirroring(project.workdir.step("data"))
    images = (
        f"{project.num_classes} classes; {counts['train']:,} training, {counts['validation']:,} validation "
        f"and {counts['test']:,} test images"
    )
    shown = [("classes", str(project.num_classes))]
    networks = results.networks or ()
    if networks:
        measure = project.task.measure
        best = f"{'lowest' if measure.is_error else 'highest'} test {measure.name}"
        shown = [(best, measure.number(networks[0].retrained.test_error))]
        fastest = min(n.measured_ms for n in networks)
        if fastest > 0:
            shown.append(("quickest network, measured", milliseconds(fastest)))
        shown.append(("networks retrained", str(len(networks))))
    if results.search is not None:
        shown.append(("networks evaluated in the search", str(len(results.search.values))))
    total = sum(finished.seconds for finished in results.steps.values())
    shown.append(("in all", duration(total)))
    return "\n".join(
        [
            '<p class="kicker">hytnas_jax · neural architecture search</p>',
            f"<h1>{escape(title)}</h1>",
            paragraph(key_result(results), "lead"),
            paragraph(images, "dim"),
            paragraph(f"Training images mirrored left to right: {mirroring.in_words()}.", "dim"),
            *_stale_warnings(results),
            *(paragraph(remark, "warning") for remark in counts["remarks"]),
            *_doubts(results),
            tiles([(value, label) for label, value in shown]),
        ]
    )


def _stale_warnings(results: Results) -> list[str]:
    return [
        paragraph(
            f"Step {step!r} was made from {changed_since(finished.stale)}: its numbers do not fit the rest. "
            "Make it anew.",
            "warning",
        )
        for step, finished in results.steps.items()
        if finished.stale
    ]


def _doubts(results: Results) -> list[str]:
    """What the commands have warned of: files that are not used, networks that have learnt nothing."""
    left_out = results.steps["data"].summary["left_out"]
    said = [f"Files of the data set are left out: {left_out}."] if left_out else []
    for step, finished in results.steps.items():
        if finished.summary.get("doubt"):
            said.append(f"Step {step}: {finished.summary['doubt']}.")
    return [paragraph(text, "warning") for text in said]


def _time_section(results: Results, commands: dict[str, str]) -> str:
    rows = [
        (step, duration(results.steps[step].seconds) if step in results.steps else "not ended", command)
        for step, command in commands.items()
    ]
    return section("Time spent", table(("step", "time", "command"), rows, num_text=3))


def _made_with_section(results: Results) -> str:
    """Settings of each step, versions, hardware, the search space."""
    settings = [
        (step, name, json.dumps(value))
        for step, finished in results.steps.items()
        for name, value in finished.settings.items()
        if name != "space"
    ]
    steps_by_environment: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for step, finished in results.steps.items():
        steps_by_environment.setdefault(tuple(_flat(finished.environment).items()), []).append(step)
    environments = {", ".join(steps): dict(key) for key, steps in steps_by_environment.items()}
    names = list(dict.fromkeys(name for values in environments.values() for name in values))
    versions = [(name, *(values.get(name, DASH) for values in environments.values())) for name in names]
    space = json.dumps(results.steps["data"].settings["space"])
    return section(
        "Made with",
        details("Settings", table(("step", "setting", "value"), settings, num_text=3, wrap=True)),
        details(
            "Versions and hardware", table(("", *environments), versions, num_text=len(environments) + 1)
        ),
        details("Search space", paragraph(space)),
    )


def _flat(environment: dict[str, Any]) -> dict[str, str]:
    """Name -> text; the packages are names of their own."""
    rest = {name: value for name, value in environment.items() if name != "packages"}
    devices = rest.pop("devices", None)
    values = {**rest, "devices": ", ".join(devices) if devices else None, **environment["packages"]}
    return {name: DASH if value is None else str(value) for name, value in values.items()}


def _command(step: str, results: Results) -> str:
    return command_line(STEPS[step], results.project.workdir.path)
