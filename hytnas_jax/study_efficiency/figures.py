"""Figures of an efficiency study: networks, operations, attention blocks, hyperparameters of a space."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hytnas_jax.plots import label_plainly
from hytnas_jax.study_efficiency.hyperparameters import SpaceShares
from hytnas_jax.study_efficiency.results import NAMINGS, EfficiencyStudy, latency_on
from hytnas_jax.study_efficiency.subjects import CHANNELS, OTHERS, SIDES
from supernet.single_operations import SINGLE_OPERATIONS

COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f")
TITLES = {
    "embed": "embedding size",
    "head_size": "size of a head",
    "ffn_ratio": "FFN ratio",
    "depth": "layers",
}


def networks_figure(study: EfficiencyStudy) -> Figure:
    """Latency over MACs on each device, peak memory over file size; a point for each published network."""
    rows = study.rows("networks")
    panels = [
        ("num_macs", f"latency_ms@{device.name}", device.name) for device in study.devices_with("networks")
    ]
    panels.append(("model_bytes", "peak_activation_bytes", "memory, whatever the device"))
    labels = {"num_macs": "million MACs", "model_bytes": "TFLite file, MB"}
    lines = -(-len(panels) // 2)
    figure = Figure(figsize=(11, 4.6 * lines), layout="constrained")
    places = figure.subplots(lines, 2, squeeze=False).ravel()
    for place in places[len(panels) :]:
        place.set_axis_off()
    labelled = []
    for panel, (x, y, title) in zip(places, panels, strict=False):
        unit = 1e6 if y == "peak_activation_bytes" else 1
        points = {row["network"]: (row[x] / 1e6, row[y] / unit) for row in rows if row[y] is not None}
        panel.scatter(*zip(*points.values(), strict=True), s=24, color=[_color_of(name) for name in points])
        panel.set(xscale="log", yscale="log", xlabel=labels[x], title=title)
        panel.set_ylabel("peak memory, MB" if unit > 1 else "latency of one image, ms")
        panel.margins(0.16)
        _finish(panel)
        labelled.append((panel, points))
    figure.draw_without_rendering()  # now the panels have their places
    for panel, points in labelled:
        _label_points(panel, points)
    return figure


def operations_figure(study: EfficiencyStudy) -> Figure:
    """Milliseconds over channels, a line for each side of the map, a column for each operation.

    One device at least has measured operations.
    """
    found, devices = {row["name"]: row for row in study.rows("operations")}, study.devices_with("operations")
    size = len(devices), len(SINGLE_OPERATIONS)
    figure = Figure(figsize=(0.8 + 2.3 * size[1], 0.8 + 2.6 * size[0]), layout="constrained")
    grid = figure.subplots(*size, sharex=True, sharey="row", squeeze=False)
    for panels, device in zip(grid, devices, strict=True):
        for panel, operation in zip(panels, SINGLE_OPERATIONS, strict=True):
            for side, color in zip(SIDES, COLORS, strict=False):
                times = [found[f"{operation}-{side}-{c}"][f"latency_ms@{device.name}"] for c in CHANNELS]
                known = [(c, ms) for c, ms in zip(CHANNELS, times, strict=True) if ms is not None]
                if known:
                    panel.plot(*zip(*known, strict=True), marker=".", color=color, label=f"{side} x {side}")
            panel.set(xscale="log", yscale="log", title=operation)
            _finish(panel)
        panels[0].set_ylabel(f"ms, {device.name}")
    lines = max(
        (panel.get_legend_handles_labels() for panel in grid.ravel()), key=lambda found: len(found[0])
    )
    grid[0][0].legend(*lines, fontsize=7, title="map", title_fontsize=7)
    figure.supxlabel("channels", fontsize=10)
    return figure


def attention_figure(study: EfficiencyStudy) -> Figure:
    """What weighs in an attention block: shares of the variance, and what each hyperparameter alone does.

    A row for each way to name the embedding (`NAMINGS`).
    """
    known = study.attention_tables("embed")
    devices = [name for device in study.devices if (name := latency_on(device.name)) in known]
    bars, lines = 1.4 * len(known), 3.0  # inches across
    figure = Figure(figsize=(1 + bars + lines * len(devices), 7.2), layout="constrained")
    widths = [bars, *[lines] * len(devices)]
    grid = figure.subplots(len(NAMINGS), len(widths), squeeze=False, width_ratios=widths)
    for panels, naming in zip(grid, NAMINGS, strict=True):
        shares = study.attention_shares(naming)
        names = (naming, "heads", *OTHERS)
        _bars(panels[0], {_title(n): [by_name[n] for by_name in shares.values()] for n in names}, [*shares])
        panels[0].set_title(f"heads and {_title(naming)} are chosen", fontsize=9)
        panels[0].set_ylabel("share of the variance of the logarithm")
        for panel, device in zip(panels[1:], devices, strict=True):
            table = np.log(study.attention_tables(naming)[device])
            for axis, (name, color) in enumerate(zip(names, COLORS, strict=False)):
                means = table.mean(axis=tuple(a for a in range(table.ndim) if a != axis))
                panel.plot((1, 2, 4), np.exp(means - means[0]), marker=".", color=color, label=_title(name))
            panel.set(xscale="log", yscale="log", title=device, xlabel="times its least value")
            panel.set_ylabel("times as long")
            _finish(panel)
            panel.set_xticks((1, 2, 4), ("1", "2", "4"))
        panels[0].set_ylim(0, 1)
        panels[0].legend(fontsize=8, ncols=3, loc="upper center")
    return figure


def space_figure(shares: SpaceShares) -> Figure:
    """Which hyperparameters of the space move what: families over quantities, and stage by stage."""
    figure = Figure(figsize=(13, 7.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False)[:, 0]
    panel, total = top.subplots(), shares.families.total
    values = {quantity: total[:, q].tolist() for q, quantity in enumerate(shares.quantities)}
    errors = np.moveaxis(shares.families.total_interval, 1, 0)
    _bars(panel, values, shares.families.names, errors=errors)
    panel.set_ylabel("total share of the variance of the logarithm")
    panel.legend(fontsize=8)
    stages, by_stage = _by_stage(shares)
    panels = bottom.subplots(1, len(shares.quantities), squeeze=False, sharey=True)[0]
    for panel, quantity, cells in zip(panels, shares.quantities, by_stage, strict=True):
        panel.imshow(np.ma.masked_invalid(cells), cmap="Blues", vmin=0, vmax=np.nanmax(by_stage))
        for (row, column), value in np.ndenumerate(cells):
            if value >= 0.005:
                color = "white" if value > 0.6 * np.nanmax(by_stage) else "black"
                place = {"ha": "center", "va": "center", "fontsize": 7, "color": color}
                panel.text(column, row, f"{value:.2f}".removeprefix("0"), **place)
        panel.set_title(quantity.replace("@", "\n"), fontsize=9)
        panel.set_xticks(range(len(stages)), stages)
        panel.set_yticks(range(len(total)), shares.families.names, fontsize=8)
    bottom.supxlabel("stage", fontsize=9)
    return figure


def _by_stage(shares: SpaceShares) -> tuple[list[str], np.ndarray]:
    """The stages, and the total shares of single genes, [Q, K, stages], NaN where a family has none there."""
    places = [name.partition(".") for name in shares.genes.names]
    columns = [stage.removeprefix("stage") if dot else "-" for stage, dot, _ in places]
    stages = sorted(set(columns), key=lambda stage: (len(stage), stage))  # 2 before 10
    found = np.full((len(shares.quantities), len(shares.families.names), len(stages)), np.nan)
    for column, family, total in zip(columns, shares.family_of, shares.genes.total, strict=True):
        found[:, shares.families.names.index(family), stages.index(column)] = total
    return stages, found


def _bars(
    panel: Axes,
    series: Mapping[str, Sequence[float]],
    groups: Sequence[str],
    errors: np.ndarray | None = None,
) -> None:
    """Bars side by side; `errors` [S, G, 2] are the ends of their intervals."""
    width = 0.85 / len(series)
    for number, (label, values) in enumerate(series.items()):
        places = np.arange(len(groups)) + (number - (len(series) - 1) / 2) * width
        ends = None
        if errors is not None:
            (low, high), found = errors[number].T, np.array(values)
            ends = np.clip([found - low, high - found], 0, None)  # an estimate may lie outside
        panel.bar(places, values, width, label=label, color=COLORS[number % len(COLORS)], yerr=ends)
    panel.set_xticks(range(len(groups)), [group.replace("@", "\n") for group in groups], fontsize=8)
    panel.grid(alpha=0.3, axis="y")


def _label_points(panel: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Names beside points, each on the side where it covers the least."""
    places = {name: tuple(panel.transData.transform(point)) for name, point in points.items()}
    pixel = panel.figure.dpi / 72  # pixels in a typographic point
    taken: list[tuple[float, ...]] = list(places.values())
    for name, (x, y) in places.items():
        half = 2.0 * len(name) * pixel

        def crowd(side: tuple[float, float], x: float = x, y: float = y, half: float = half) -> float:
            across, up = x + side[0], y + side[1]
            outside = not panel.bbox.x0 + half < across < panel.bbox.x1 - half
            near = sum(abs(across - a) < half + 14 * pixel and abs(up - b) < 7 * pixel for a, b in taken)
            return near + 10 * outside

        sides = [(half + 5 * pixel, 0), (-half - 5 * pixel, 0), (0, 8 * pixel), (0, -8 * pixel)]
        sides += [(right, up) for right, _ in sides[:2] for up in (9 * pixel, -9 * pixel)]
        dx, dy = min(sides, key=crowd)
        taken.append((x + dx, y + dy))
        offset = (dx / pixel, dy / pixel)
        panel.annotate(
            name,
            points[name],
            xytext=offset,
            textcoords="offset points",
            fontsize=7,
            ha="center",
            va="center",
        )


def _title(name: str) -> str:
    return TITLES.get(name, name)


def _color_of(network: str) -> str:
    """One colour for each family of networks."""
    families = ("hyt-nas", "mobilevit", "mobilenetv1", "mobilenetv2", "mobilenetv3", "vit")
    return COLORS[next(index for index, family in enumerate(families) if network.startswith(family))]


def _finish(panel: Axes) -> None:
    panel.grid(alpha=0.3)
    label_plainly(panel)
    panel.tick_params(labelsize=7)
    panel.title.set_fontsize(9)
