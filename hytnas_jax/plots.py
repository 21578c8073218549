"""Figures of a search: what was evaluated with its Pareto front, and how the hypervolume grew.

Drawn without a display and without pyplot's global state. Letters: N evaluations, M objectives.
"""

import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from hytnas_jax.files.atomic import write_bytes

# From this ratio of largest to smallest on, an axis is logarithmic.
LOG_RATIO = 10.0
SEARCH, BASELINE, FRONT = "#1f77b4", "#a0a0a0", "#d62728"
DPI = 120


@dataclasses.dataclass(frozen=True)
class Axis:
    """One objective as a figure's axis; `direction` is "min" or "max"."""

    name: str
    unit: str = ""
    direction: str = "min"

    @property
    def label(self) -> str:
        """The name, its unit, and which way is better."""
        unit = f" [{self.unit}]" if self.unit and self.unit != self.name else ""
        return f"{self.name}{unit}, {'less' if self.direction == 'min' else 'more'} is better"


def front_figure(
    axes: Sequence[Axis], values: np.ndarray, on_front: np.ndarray, baseline: np.ndarray | None = None
) -> Figure:
    """The first objective over each of the others.

    With two objectives the front is a line of steps; with more, a panel shows two of them only, and its
    front is points.

    Args:
      axes: the M >= 2 objectives.
      values: float64 [N, M]; a row with a NaN (a failed evaluation) is not drawn.
      on_front: bool [N].
      baseline: float64 [N', M] of a search to compare with.
    """
    figure = _figure(columns=len(axes) - 1)
    panels = figure.subplots(1, len(axes) - 1, sharey=True, squeeze=False)[0]
    for m, (panel, axis) in enumerate(zip(panels, axes[1:], strict=True), 1):
        if baseline is not None:
            panel.scatter(*baseline[:, [m, 0]].T, s=14, color=BASELINE, label="random search")
        panel.scatter(*values[:, [m, 0]].T, s=14, color=SEARCH, alpha=0.6, label="search")
        front = values[on_front][:, [m, 0]]
        front = front[np.argsort(front[:, 0])]
        if len(axes) == 2:
            where = "post" if axis.direction == "min" else "pre"
            panel.plot(*front.T, drawstyle=f"steps-{where}", color=FRONT, linewidth=1)
        panel.scatter(*front.T, s=30, color=FRONT, label="Pareto front of the search")
        panel.set_xlabel(axis.label)
        panel.set_xscale(_scale(values[:, m], baseline, m))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel(axes[0].label)
    panels[0].set_yscale(_scale(values[:, 0], baseline, 0))
    for panel in panels:
        label_plainly(panel)
    _add_legend(panels[0])
    return figure


def hypervolume_figure(histories: Mapping[str, np.ndarray], *, initial: int) -> Figure:
    """The hypervolume after each evaluation, a line for each search: label -> float64 [N].

    The first `initial` evaluations, which the searches share, are shaded.
    """
    figure = _figure(columns=1)
    panel = figure.subplots()
    for (label, history), color in zip(histories.items(), (SEARCH, BASELINE, FRONT), strict=False):
        panel.plot(np.arange(1, len(history) + 1), history, label=label, color=color)
    panel.axvspan(1, max(initial, 1), color=BASELINE, alpha=0.15, label="initial, shared")
    panel.set_xlabel("architectures evaluated")
    panel.set_ylabel("hypervolume, more is better")
    panel.grid(alpha=0.3)
    _add_legend(panel)
    return figure


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file's content."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def save_figure(path: Path, figure: Figure) -> None:
    """Write a PNG file, whole or not at all."""
    write_bytes(path, to_png(figure))


def _figure(*, columns: int) -> Figure:
    return Figure(figsize=(1.5 + 4.5 * columns, 4.2), layout="constrained")


def _scale(values: np.ndarray, baseline: np.ndarray | None, m: int) -> str:
    """ "log" where the finite values of objective m span a ratio of `LOG_RATIO`, all above zero."""
    drawn = values if baseline is None else np.concatenate([values, baseline[:, m]])
    drawn = drawn[np.isfinite(drawn)]
    spans = len(drawn) > 0 and drawn.min() > 0 and drawn.max() >= LOG_RATIO * drawn.min()
    return "log" if spans else "linear"


def label_plainly(panel: Axes) -> None:
    """Logarithmic axes say 0.02, 0.05, 0.1 and not powers of ten, which run into one another."""
    for axis in (panel.xaxis, panel.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())


def _add_legend(panel: Axes) -> None:
    panel.legend(fontsize=8, framealpha=0.8)
