"""What the figures show."""

import numpy as np
import pytest

from hytnas_jax.plots import to_png
from hytnas_jax.study_search.figures import FLOOR, overview_figure, problem_figure, styles
from hytnas_jax.study_search.folder import Run
from hytnas_jax.study_search.jobs import SearchJob


def runs(problem: str, strategy: str, *ratios: list[float]) -> list[Run]:
    return [
        Run(SearchJob(problem, strategy, seed), np.array(values), np.zeros(len(values)))
        for seed, values in enumerate(ratios)
    ]


def test_a_line_is_the_median_of_what_is_missing_down_to_the_floor() -> None:
    figure = problem_figure(
        "zh-en", runs("zh-en", "random", [0.5, 0.9, 1.0], [0.2, 0.8, 1.0], [0.1, 0.4, 0.9]), initial=1
    )
    (panel,) = figure.axes
    (line,) = panel.lines
    assert line.get_label() == "random"
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata() == pytest.approx([0.8, 0.2, FLOOR])
    assert (panel.get_title(), panel.get_yscale()) == ("zh-en", "log")
    assert to_png(figure).startswith(b"\x89PNG")


def test_the_overview_has_a_panel_for_each_problem_and_one_legend() -> None:
    made = [r for p in "abcd" for s in ("random", "gp") for r in runs(p, s, [0.5, 0.9], [0.4, 0.7])]
    made += runs("d", "xgboost", [0.4, 0.5])
    figure = overview_figure(made, initial=1)
    assert [panel.get_title() for panel in figure.axes] == ["a", "b", "c", "d", "", ""]
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {"random", "gp", "xgboost"}


def test_forty_strategies_are_told_apart() -> None:
    names = ["random", "nsga2", "default", *(f"s{n}" for n in range(40))]
    assert len(set(styles(names).values())) == 43
