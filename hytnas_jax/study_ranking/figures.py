"""Scatter plots: the references over each estimate, a panel each."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hytnas_jax.accuracy.agreement import ALL, Agreement

COLUMNS = 3
COLORS = ("#1f77b4", "#2ca02c", "#d62728")


def scatter_figure(
    estimates: Mapping[str, NDArray[np.float64]],
    references: NDArray[np.float64],
    members: Mapping[str, NDArray[np.bool_]],
    agreements: Mapping[str, Mapping[str, Agreement]],
    quality: str,
) -> Figure:
    """A panel for each estimate [N], the networks of a band of cost in one colour; `quality` names what the
    references are."""
    lines = -(-len(estimates) // COLUMNS)
    figure = Figure(figsize=(1.0 + 3.4 * COLUMNS, 0.6 + 3.0 * lines), layout="constrained")
    panels = figure.subplots(lines, COLUMNS, sharey=True, squeeze=False).ravel()
    bands = {name: inside for name, inside in members.items() if name != ALL}
    for panel, (name, values) in zip(panels, estimates.items(), strict=False):
        for (band, inside), color in zip(bands.items(), COLORS, strict=True):
            panel.scatter(values[inside], references[inside], s=14, color=color, label=band)
        tau = agreements[name][ALL].tau
        panel.set_title(f"{name}\n{'no ranking' if tau is None else f'tau {tau}'}", fontsize=9)
        panel.set_xscale("log" if values.min() > 0 and values.max() > 10 * values.min() else "linear")
        panel.grid(alpha=0.3)
    for panel in panels[len(estimates) :]:
        panel.set_axis_off()
    panels[0].legend(title="MACs", fontsize=8, title_fontsize=8)
    figure.supylabel(f"{quality} after training on its own", fontsize=10)
    return figure
