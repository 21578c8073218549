"""The report's sections about the retrained networks: the table, the drawings."""

from html import escape

from hytnas_jax.numbers import DASH, count, counted, milliseconds, size
from hytnas_jax.report.block_diagram import COLOURS, block_diagram
from hytnas_jax.report.intervals import interval_of_test
from hytnas_jax.report.page import paragraph, section, table
from hytnas_jax.report.results import NetworkResult, Results
from hytnas_jax.search.results import ESTIMATED
from hytnas_jax.shared_flags.objective_names import error_of
from hytnas_jax.tasks.measure import Measure


def table_section(results: Results) -> str:
    """All numbers of all retrained networks."""
    if not results.networks:
        return ""
    measure, is_decoded = results.project.task.measure, results.project.task.decode is not None
    headers = (
        *("", "network", "role", f"test {measure.name}", "95% interval"),
        *(() if measure.beside is None else (f"test {measure.beside[1]}",)),
        *(f"validation {measure.name}", "expected", "in the search"),
        *("parameters", "MACs", "peak memory", "in int8", "TFLite int8"),
        *("predicted", "measured", *(["decoding"] if is_decoded else []), "file", "files"),
    )
    rows = [_row(network, measure, is_decoded=is_decoded) for network in results.networks]
    tested = results.networks[0].retrained.result["test_images"]
    text = (
        f"Test {measure.name} is on {counted(tested, 'image', form=',')} that neither the search nor "
        f"the training has seen; "
        f"validation {measure.name} on the validation split; expected is what the networks retrained before "
        "let expect of that (in brackets one standard deviation to either side)."
    ) + estimate_words(results)
    if is_decoded:
        text += (
            " Decoding comes after the network and is not in its latency: it makes boxes, or a mask, of the "
            "output, in NumPy on this machine."
        )
    return section("The networks in numbers", paragraph(text), table(headers, rows, num_text=3))


def estimate_words(results: Results) -> str:
    """What the error is that the search went by, where it went by one; begins with a space."""
    told = results.project.task.measure.name
    name = None if results.search is None else error_of([o.name for o in results.search.objectives])
    if name == "trained_error":
        return f" In the search it is an estimate of the {told} after training, as study_ranking trains."
    return "" if name is None else f" In the search the {told} is {ESTIMATED}."


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
        facts = "".join(f"<li>{escape(fact)}</li>" for fact in _facts(network, results.project.task.measure))
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


def _row(network: NetworkResult, measure: Measure, *, is_decoded: bool) -> tuple[str, ...]:
    retrained, total = network.retrained, network.complexity
    likely, expected = interval_of_test(retrained, measure), retrained.expected
    return (
        network.letter,
        retrained.name,
        retrained.role,
        measure.number(retrained.test_error),
        DASH if likely is None else measure.between(*likely),
        *([] if measure.beside is None else [measure.number_beside(retrained.test_details)]),
        measure.number(retrained.validation_error),
        DASH if expected is None else expected.told(measure),
        measure.number(retrained.estimated_error),
        count(total.num_parameters),
        count(total.num_macs),
        size(total.peak_activation_bytes),
        size(total.peak_activation_bytes_int8),
        size(total.model_bytes_int8),
        milliseconds(network.predicted_ms),
        milliseconds(network.measured_ms),
        *([milliseconds(network.decoding_ms)] if is_decoded else []),
        DASH if network.card is None else size(network.card["size"]["file_bytes"]),
        f"retrain/{retrained.name}" if network.card is None else f"export/{retrained.name}",
    )


def _facts(network: NetworkResult, measure: Measure) -> list[str]:
    facts = [
        network.retrained.role,
        f"{measure.number(network.retrained.test_error)} test {measure.name}",
        f"{count(network.complexity.num_parameters)} parameters",
        f"{count(network.complexity.num_macs)} MACs",
    ]
    if network.card is not None:
        facts.append(milliseconds(network.measured_ms))
        if network.decoding_ms > 0:
            facts.append(f"decoding {milliseconds(network.decoding_ms)}")
    return facts
