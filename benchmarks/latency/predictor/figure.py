"""The figure of `latency.predictor`: learning curves of each device, and the transfer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

COLORS = {
    "chosen": "#d62728",
    "nnls": "#1f77b4",
    "nnls+xgboost": "#2ca02c",
    "gp": "#9467bd",
    "xgboost": "#ff7f0e",
    "MACs alone": "#808080",
    "transfer": "#d62728",
    "one factor": "#1f77b4",
    "line": "#2ca02c",
    "from nothing": "#808080",
}


def learning_and_transfer(result: Mapping[str, Any]) -> Figure:
    """A panel for each device and each direction of the transfer. Parameters alone would be off the scale."""
    panels = len(result["devices"]) + len(result["transfer"])
    figure = Figure(figsize=(4 * panels, 4), layout="constrained")
    axes = iter(figure.subplots(1, panels, sharey=True))
    for device, found in result["devices"].items():
        panel = next(axes)
        for name, curve in found["learning_curve"].items():
            if name in COLORS:
                _line(panel, name, [(e["fitted"], e["mape"]) for e in curve])
        again = 100 * found["measured_again"].mape
        panel.axhline(again, color="#c0c0c0", linestyle=":", label="measured again")
        _finish(panel, device, "networks fitted")
    for direction, rows in result["transfer"].items():
        panel = next(axes)
        for name in ("transfer", "one factor", "line", "from nothing"):
            _line(panel, name, [(row["measured"], row[name]["mape"]) for row in rows if name in row])
        _finish(panel, direction, "networks measured on the new device")
    figure.axes[0].set_ylabel(f"mean error on {result['evaluated_by']} others [%]")
    return figure


def _line(panel: Axes, name: str, points: list[tuple[int, float]]) -> None:
    counts, mapes = zip(*points, strict=True)
    width = 2.5 if name in ("chosen", "transfer") else 1.2
    panel.plot(counts, [100 * mape for mape in mapes], "o-", color=COLORS[name], linewidth=width, label=name)


def _finish(panel: Axes, title: str, label: str) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(sorted({x for line in panel.lines for x in np.asarray(line.get_xdata()) if x > 1}))
    panel.set_yticks([1, 2, 5, 10, 20, 50])
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    panel.set_title(title, fontsize=10)
    panel.set_xlabel(label)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
