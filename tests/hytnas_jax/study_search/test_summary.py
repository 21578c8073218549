"""The numbers of a study, worked out by hand."""

import numpy as np
import pytest

from hytnas_jax.study_search.folder import Run
from hytnas_jax.study_search.jobs import SearchJob
from hytnas_jax.study_search.report import HEADERS, cells
from hytnas_jax.study_search.summary import summarise, summarise_all


def run(problem: str, strategy: str, seed: int, ratios: list[float], seconds: float = 0.5) -> Run:
    times = np.array([0.0, *[seconds] * (len(ratios) - 1)])
    return Run(SearchJob(problem, strategy, seed), np.array(ratios), times)


RUNS = [
    run("a", "gp", 0, [0.5, 0.92, 0.96, 1.0]),
    run("a", "gp", 1, [0.3, 0.5, 0.9, 0.94], seconds=1.5),
    run("a", "gp", 2, [0.5, 0.5, 0.95, 0.98]),
    run("a", "random", 0, [0.5, 0.5, 0.5, 0.6]),
    run("b", "gp", 0, [0.8, 0.8, 0.8, 0.8]),
]


def test_a_row_by_hand() -> None:
    rows = summarise(RUNS, initial=1)
    assert [row.strategy for row in rows["a"]] == ["gp", "random"]
    gp = rows["a"][0]
    assert gp.runs == 3
    assert (gp.lower, gp.median, gp.upper) == pytest.approx((0.96, 0.98, 0.99))
    # mean of 0.92 0.96 1.0 | 0.5 0.9 0.94 | 0.5 0.95 0.98
    assert gp.auc_regret == pytest.approx(100 * (1 - 7.65 / 9))
    assert gp.final_regret == pytest.approx(100 * (1 - 2.92 / 3))
    # 90%: after 2, 3, 3 evaluations; 95%: 3, never, 3; 99%: 4, never, never
    assert gp.evaluations_to == {90: 3.0, 95: 3.0, 99: None}
    assert gp.seconds == 0.5


def test_the_median_run_of_two_that_do_not_both_get_there_has_no_number() -> None:
    runs = [run("a", "gp", 0, [0.5, 0.95]), run("a", "gp", 1, [0.5, 0.91])]
    (row,) = summarise(runs, initial=1)["a"]
    assert row.evaluations_to == {90: 2.0, 95: None, 99: None}
    assert dict(zip(HEADERS, cells(row, 2), strict=True)) == {
        "strategy": "gp",
        "final ratio: median": "0.9300",
        "quartiles": "0.9200 .. 0.9400",
        "AUC-regret": "7.00",
        "final regret": "7.00",
        "evaluations to 90%": "2",
        "evaluations to 95%": ">2",
        "evaluations to 99%": ">2",
        "seconds per suggestion": "0.5",
        "runs": "2",
    }


def test_of_all_problems_only_strategies_that_ran_on_each_are_compared() -> None:
    (row,) = summarise_all(RUNS, initial=1)
    assert (row.strategy, row.runs) == ("gp", 4)
    assert row.final_regret == pytest.approx(100 * (1 - 3.72 / 4))
