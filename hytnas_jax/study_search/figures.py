"""Figures of a study: how much of the front's hypervolume is still missing after each evaluation.

Letters: S runs, N evaluations.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from hytnas_jax.study_search.folder import Run
from hytnas_jax.study_search.strategies import DEFAULT, NSGA2, RANDOM

# What is missing is drawn down to here; below it the front has been found for all that one can see.
FLOOR = 1e-4
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
BASELINES = {RANDOM: ("#808080", ":"), NSGA2: ("#000000", "--"), DEFAULT: ("#d62728", "-")}
COLUMNS = 3


def styles(strategies: Collection[str]) -> dict[str, tuple]:
    """Strategy -> colour and line; 40 beside the baselines differ, from there on they come again."""
    pairs = itertools.cycle((color, line) for line in LINES for color in COLORS)
    return {name: BASELINES[name] if name in BASELINES else next(pairs) for name in sorted(strategies)}


def problem_figure(problem: str, runs: Sequence[Run], *, initial: int) -> Figure:
    """Median and quartiles over the runs of each strategy on one problem."""
    figure = Figure(figsize=(10.0, 5.2), layout="constrained")
    panel = figure.subplots()
    _draw(panel, problem, runs, styles({run.job.strategy for run in runs}), initial)
    _finish(figure, panel)
    return figure


def overview_figure(runs: Sequence[Run], *, initial: int) -> Figure:
    """One panel for each problem, on the same scales."""
    problems = sorted({run.job.problem for run in runs})
    style = styles({run.job.strategy for run in runs})
    columns = min(COLUMNS, len(problems))
    lines = -(-len(problems) // columns)
    figure = Figure(figsize=(3.0 + 3.6 * columns, 0.6 + 3.0 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for problem, panel in zip(problems, panels, strict=False):
        _draw(panel, problem, [run for run in runs if run.job.problem == problem], style, initial)
    for panel in panels[len(problems) :]:
        panel.set_axis_off()
    _finish(figure, *panels[: len(problems)])
    return figure


def _draw(panel: Axes, problem: str, runs: Sequence[Run], style: Mapping[str, tuple], initial: int) -> None:
    for strategy in sorted({run.job.strategy for run in runs}):
        ratios = np.stack([run.hypervolume_ratios for run in runs if run.job.strategy == strategy])
        missing = np.maximum(1.0 - ratios, FLOOR)
        lower, median, upper = np.quantile(missing, (0.25, 0.5, 0.75), axis=0)
        evaluations = np.arange(1, len(median) + 1)
        color, line = style[strategy]
        panel.plot(evaluations, median, color=color, linestyle=line, linewidth=1.6, label=strategy)
        panel.fill_between(evaluations, lower, upper, color=color, alpha=0.12, linewidth=0)
    panel.axvspan(1, initial, color="#a0a0a0", alpha=0.12, linewidth=0)
    panel.set_title(problem)
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100.0 * value:g}%"))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set_xlim(1, len(runs[0].seconds))
    panel.grid(alpha=0.3)


def _finish(figure: Figure, *panels: Axes) -> None:
    """The labels and one legend for all panels, which may have different strategies."""
    figure.supxlabel("evaluations (shaded: initial, shared); median and quartiles", fontsize=10)
    figure.supylabel("hypervolume still missing", fontsize=10)
    by_label: dict[str, Artist] = {}
    for panel in panels:
        handles, labels = panel.get_legend_handles_labels()
        by_label.update(zip(labels, handles, strict=True))
    figure.legend(list(by_label.values()), list(by_label), loc="outside right upper", fontsize=8)
