"""What became of the retrained networks: who is on their front, what was expected, how the search ranked."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hytnas_jax import console
from hytnas_jax.numbers import counted, fraction, percent
from hytnas_jax.retrain.archive import Archive
from hytnas_jax.retrain.confirmation import confirm
from hytnas_jax.retrain.networks import TrainedNetwork
from hytnas_jax.search.results import ESTIMATED
from hytnas_jax.tasks.measure import Measure
from proxies.ranking import RankAgreement, kendall_tau


def verdicts(archive: Archive, trained: Sequence[TrainedNetwork]) -> dict[str, str]:
    """Whether each network of the search is on the front of those retrained: "yes", "no" or "unclear".

    In the order of retraining; published networks are in nobody's way.
    """
    searched = [(network, network.chosen.row) for network in trained if network.chosen is not None]
    costs = archive.costs[[row for _, row in searched]]
    errors = np.array([network.error for network, _ in searched])
    found = confirm(costs, errors, np.array([network.deviation for network, _ in searched]))
    return {network.name: verdict for (network, _), verdict in zip(searched, found, strict=True)}


def off_the_front(
    archive: Archive, trained: Sequence[TrainedNetwork], num_before: int, measure: Measure
) -> None:
    """Say whom the networks retrained after the first `num_before` put off the front, themselves perhaps."""
    before = verdicts(archive, trained[:num_before])
    for name, verdict in verdicts(archive, trained).items():
        if verdict == "no" != before.get(name, "yes"):
            console.say(
                f"{name} has left the front: another one costs no more and {measure.is_clearly_better}"
            )


def show(
    archive: Archive,
    trained: Sequence[TrainedNetwork],
    tested: Sequence[Mapping[str, Any]],
    *,
    measure: Measure,
    images: int,
) -> dict[str, Any]:
    """Print the table, in the order of retraining, and what it does not say; gives what the step's done mark
    has of it. `tested` are the results of the test."""
    on_front = verdicts(archive, trained)
    rows = [
        (
            network.name,
            network.role,
            _estimate(archive, network, measure),
            _expected(network, measure),
            measure.number(network.error),
            measure.number(result["test_error"]),
            *([] if measure.beside is None else [measure.number_beside(result["test_details"])]),
            on_front.get(network.name),
        )
        for network, result in zip(trained, tested, strict=True)
    ]
    console.table(rows, _headers(measure))
    if archive.error is not None:
        if archive.names[archive.error] != "trained_error":
            console.say(f"in the search: {ESTIMATED}")
        console.say(
            "expected: what retraining was expected to come to (one standard deviation to either side), "
            "learnt from the networks retrained before; of the first, nothing was known"
        )
    if "unclear" in on_front.values():
        unclear = f"another one costs no more and {measure.is_better}, which may be chance"
        console.say(f"unclear: {unclear} ({counted(images, 'image')})")
    words = {"yes": "the front that became", "unclear": "perhaps on it", "no": "off it"}
    names = {verdict: [name for name, found in on_front.items() if found == verdict] for verdict in words}
    console.say("; ".join(f"{words[v]}: {', '.join(found)}" for v, found in names.items() if found))
    agreement = _ranked(archive, trained)
    if agreement is not None:
        console.say(
            f"how well the search ranked these {agreement.n} (1: as retraining does, 0: not at all): "
            f"Kendall's tau {agreement.tau:.2f}, 95% interval {agreement.low:.2f} to {agreement.high:.2f}"
        )
    return {
        "networks": [network.name for network in trained],
        "still_on_front": list(on_front.values()),
        "front": names["yes"],
        "ranking": None if agreement is None else dataclasses.asdict(agreement),
    }


def _headers(measure: Measure) -> tuple[str, ...]:
    test = f"test {measure.name}"
    if measure.is_error:
        return ("network", "role", "in the search", "expected", "retrained", test, "on the front")
    beside = () if measure.beside is None else (f"test {measure.beside[1]}",)
    of_networks = (f"{measure.name} in the search", "expected", f"retrained {measure.name}")
    return ("network", "role", *of_networks, test, *beside, "on the front")


def _expected(network: TrainedNetwork, measure: Measure) -> str | None:
    expected = None if network.chosen is None else network.chosen.expected
    return None if expected is None else expected.told(measure)


def _estimate(archive: Archive, network: TrainedNetwork, measure: Measure) -> str | None:
    """The error as the search has it, and its deviation where that is known."""
    if network.chosen is None or archive.error is None:
        return None
    place = network.chosen.row, archive.error
    std = archive.std[place]
    unsure = percent(std).removesuffix("%") if measure.is_error else fraction(std)
    return measure.number(archive.values[place]) + (f" ± {unsure}" if std > 0 else "")


def _ranked(archive: Archive, trained: Sequence[TrainedNetwork]) -> RankAgreement | None:
    """How the search's estimates rank its networks that were retrained; None where that cannot be told."""
    if archive.error is None:
        return None
    searched = [
        (archive.values[n.chosen.row, archive.error], n.error) for n in trained if n.chosen is not None
    ]
    agreement = kendall_tau(*zip(*searched, strict=True))
    return None if math.isnan(agreement.tau) else agreement
