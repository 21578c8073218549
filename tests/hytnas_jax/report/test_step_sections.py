"""What is said of the search beside random search, by hand-worked hypervolumes."""

import numpy as np
import pytest

from hytnas_jax.report.results import SearchResult
from hytnas_jax.report.step_sections import _axis_label, _hypervolume_words
from hytnas_jax.search.pareto_file import SearchObjective
from hytnas_jax.tasks.measure import ERROR as ERRORS_IN_PERCENT
from hytnas_jax.tasks.measure import Measure

ERROR, LATENCY = SearchObjective("error", "", "min"), SearchObjective("latency_ms", "ms", "min")


def result(search: list[float], random: list[float] | None) -> SearchResult:
    """One point a number x, (1 - x, 0) under the corner (1, 1): it covers the area x."""

    def values(areas: list[float]) -> np.ndarray:
        return np.array([[1 - area, 0.0] for area in areas])

    at_random = None if random is None else values(random)
    front, corner = values([max(search)]), np.ones(2)
    return SearchResult((ERROR, LATENCY), values(search), at_random, front, corner, 2, 0)


@pytest.mark.parametrize(
    ("search", "random", "says"),
    [
        (
            [0.1, 0.2, 0.7, 0.8],
            [0.1, 0.2, 0.4, 0.5],
            "after 3 evaluations what random search reached after 4.",
        ),
        ([0.1, 0.2, 0.3, 0.3], [0.1, 0.2, 0.4, 0.5], "The search did not reach what random search reached."),
        (
            [0.1, 0.2, 0.3, 0.4],
            [0.1, 0.2, 0.1, 0.2],
            "Random search found nothing that adds to these first ones.",
        ),
        ([0.1, 0.2, 0.3, 0.4], None, "There was no random search to compare with."),
    ],
)
def test_search_beside_random_search(search: list[float], random: list[float] | None, says: str) -> None:
    words = _hypervolume_words(result(search, random))
    assert words.endswith(says)
    assert words.startswith("The first 2 evaluations are drawn at random.")


def test_both_hypervolumes_are_given() -> None:
    words = _hypervolume_words(result([0.1, 0.2, 0.7], [0.1, 0.2, 0.5]))
    assert "search 0.7, random search 0.5" in words


@pytest.mark.parametrize(
    ("name", "unit", "label"),
    [
        ("error", "", "error"),
        ("latency_ms", "ms", "latency (ms)"),
        ("macs", "MACs", "macs"),
        ("peak_memory", "bytes", "peak memory (bytes)"),
    ],
)
def test_axis_labels(name: str, unit: str, label: str) -> None:
    assert _axis_label(SearchObjective(name, unit, "min"), ERRORS_IN_PERCENT) == label


def test_axis_labels_of_detection() -> None:
    ap = Measure("AP")
    assert _axis_label(ERROR, ap) == "AP"
    assert _axis_label(SearchObjective("trained_error", "", "min"), ap) == "AP after training"
    assert _axis_label(LATENCY, ap) == "latency (ms)"
