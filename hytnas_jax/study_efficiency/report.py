"""What an efficiency study writes: tables as CSV, efficiency.json, efficiency.md and its figures."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.files.atomic import write_json, write_text
from hytnas_jax.numbers import counted
from hytnas_jax.plots import save_figure
from hytnas_jax.runtime.environment import environment
from hytnas_jax.study_efficiency.figures import (
    attention_figure,
    networks_figure,
    operations_figure,
    space_figure,
)
from hytnas_jax.study_efficiency.hyperparameters import SpaceShares
from hytnas_jax.study_efficiency.parts import PARTS
from hytnas_jax.study_efficiency.results import NAMINGS, EfficiencyStudy
from hytnas_jax.study_efficiency.subjects import BATCH
from proxies.latency.predictor import MIN_NETWORKS, LatencyPredictor
from supernet.named import NAMES
from supernet.single_operations import SINGLE_OPERATIONS

FINDING = "heads and the embedding size weigh most in an attention block"


def network_headers(study: EfficiencyStudy) -> tuple[str, ...]:
    """Of `network_rows`."""
    counted = ("network", "parameters", "M MACs", "peak MB", "in int8", "file MB", "in int8")
    return (*counted, *(f"{unit} {device.name}" for device in study.devices for unit in ("ms", "images/s")))


def network_rows(study: EfficiencyStudy) -> list[tuple[object, ...]]:
    """Published networks, the quickest on the first device first. A second number of images a second is
    that with `BATCH` at once."""
    rows = study.rows("networks")
    first = f"latency_ms@{study.devices[0].name}"
    return [_network_row(study, row) for row in sorted(rows, key=lambda row: row[first] or np.inf)]


def _network_row(study: EfficiencyStudy, row: Mapping[str, Any]) -> tuple[object, ...]:
    sizes = ("peak_activation_bytes", "peak_activation_bytes_int8", "model_bytes", "model_bytes_int8")
    cells: list[object] = [row["network"], row["num_parameters"], row["num_macs"] / 1e6]
    cells += [row[name] / 1e6 for name in sizes]
    for device in study.devices:
        cells.append(row[f"latency_ms@{device.name}"])
        rates = (f"images_per_second@{device.name}", f"images_per_second_batch{BATCH}@{device.name}")
        known = [f"{row[rate]:.4g}" for rate in rates if row.get(rate)]
        cells.append(" / ".join(known) or "-")
    return tuple(cells)


def operation_rows(study: EfficiencyStudy) -> list[tuple[object, ...]]:
    """By operation, on each device: thousand million MACs a second, the median and the range."""
    rows, measured = [], study.rows("operations")
    for operation in SINGLE_OPERATIONS:
        cells: list[object] = [operation]
        for device in study.devices:
            rates = [
                row["num_macs"] / 1e6 / row[f"latency_ms@{device.name}"]
                for row in measured
                if row["operation"] == operation and row[f"latency_ms@{device.name}"]
            ]
            cells.append(f"{np.median(rates):.3g} ({min(rates):.2g} to {max(rates):.2g})" if rates else "-")
        rows.append(tuple(cells))
    return rows


def attention_rows(study: EfficiencyStudy, naming: str) -> list[tuple[object, ...]]:
    """By quantity: the shares of the block's hyperparameters."""
    return [
        (quantity, *(f"{share:.3f}" for share in shares.values()))
        for quantity, shares in study.attention_shares(naming).items()
    ]


def finding(study: EfficiencyStudy) -> list[str]:
    """Whether `FINDING`, HyT-NAS's, is true here: by the way to name the embedding, of which quantities."""
    lines = []
    for naming in NAMINGS:
        shares = study.attention_shares(naming)
        true = [
            quantity for quantity, by_name in shares.items() if set(_heaviest(by_name)) == {naming, "heads"}
        ]
        verdict = f"true of {', '.join(true)}" if true else "true of nothing"
        lines.append(f"where heads and {naming} are chosen, {FINDING!r} is {verdict}")
    return lines


def _heaviest(shares: Mapping[str, float]) -> list[str]:
    return sorted(shares, key=lambda name: -shares[name])[:2]


def space_rows(shares: SpaceShares) -> list[tuple[object, ...]]:
    """By family of hyperparameters: total share and its interval, for each quantity."""
    found = shares.families
    return [
        (name, *(f"{share:.3f} ({low:.3f} to {high:.3f})" for share, (low, high) in zip(*row, strict=True)))
        for name, *row in zip(found.names, found.total, found.total_interval, strict=True)
    ]


def remarks(
    study: EfficiencyStudy, shares: SpaceShares, predictors: Mapping[str, LatencyPredictor]
) -> list[str]:
    """What the study found, in lines."""
    space = study.plan.space.name
    lines = [
        f"latency on {name} is predicted with a mean error of {100 * predictor.error.mape:.1f}% "
        f"({predictor.error.num_networks} networks of {space}, each predicted without it)"
        for name, predictor in predictors.items()
    ]
    lines += [
        f"latency on {device.name} is not predicted: "
        f"{counted(len(study.drawn_on(device)), f'network of {space} was', f'networks of {space} were')} "
        f"measured, "
        f"and a predictor needs {MIN_NETWORKS}"
        for device in study.devices
        if device.name not in predictors
    ]
    names, total = shares.families.names, shares.families.total
    for q, quantity in enumerate(shares.quantities):
        listed = ", ".join(f"{names[k]} {total[k, q]:.2f}" for k in np.argsort(-total[:, q])[:4])
        lines.append(f"in {study.plan.space.name}, {quantity} is moved most by {listed}")
    measured = [row["network"] for row in study.rows("networks")]
    missing = [name for name in NAMES if name not in measured]
    if missing:
        lines.append(f"no images of {study.plan.resolution} pixels can be given to {', '.join(missing)}")
    return [*lines, *finding(study)]


def write_results(
    folder: Path,
    study: EfficiencyStudy,
    shares: SpaceShares,
    predictors: Mapping[str, LatencyPredictor],
    said: Sequence[str],
) -> list[Path]:
    """Write everything; gives the paths that a reader wants. `said` are the `remarks`."""
    for part in PARTS:
        write_text(folder / f"{part}.csv", _csv(study.rows(part)))
    figures = {"networks": networks_figure(study), "attention": attention_figure(study)}
    figures["space"] = space_figure(shares)
    if study.devices_with("operations"):
        figures["operations"] = operations_figure(study)
    else:
        (folder / "operations.png").unlink(missing_ok=True)
    for name, figure in figures.items():
        save_figure(folder / f"{name}.png", figure)
    found = {
        "environment": environment(),
        "plan": study.plan.to_json(),
        "devices": {device.name: dict(device.about) for device in study.devices},
        "predictors": {name: dataclasses.asdict(p.error) for name, p in predictors.items()},
        "networks": study.rows("networks"),
        "attention": {naming: study.attention_shares(naming) for naming in NAMINGS},
        "space": dataclasses.asdict(shares),
        "remarks": said,
    }
    write_json(folder / "efficiency.json", found)
    write_text(folder / "efficiency.md", _markdown(study, shares, said))
    return [folder / name for name in ("efficiency.md", "efficiency.json", *(f"{n}.png" for n in figures))]


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    titles = dict.fromkeys(title for row in rows for title in row)
    writer = csv.DictWriter(text, list(titles), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in (headers, ["---"] * len(headers), *cells))


def _markdown(study: EfficiencyStudy, shares: SpaceShares, said: Sequence[str]) -> str:
    plan = study.plan
    attention = [
        _table(("share", *next(iter(study.attention_shares(naming).values()))), attention_rows(study, naming))
        for naming in NAMINGS
    ]
    operations = [
        _table(("operation", *(device.name for device in study.devices)), operation_rows(study)),
        "![milliseconds over channels](operations.png)",
    ]
    sections = [
        "# What networks, operations and hyperparameters cost",
        _list(f"{device.name}: {device.in_words}" for device in study.devices),
        _list(said),
        "## Published networks",
        f"{plan.resolution} pixels, {plan.num_classes} classes, random weights. Images a second: one after "
        f"the other / {BATCH} at once.",
        _table(network_headers(study), network_rows(study)),
        "![latency over MACs, memory over size](networks.png)",
        "## Single operations",
        "Thousand million multiply-accumulates a second: median (range) over all maps and channels, each of "
        "which is in operations.csv.",
        *(operations if study.devices_with("operations") else ["None has been measured."]),
        "## Attention blocks",
        "MobileViT blocks in all combinations of their hyperparameters, each over a factor of four. "
        "Shares are those in the variance of a quantity's logarithm, interactions included; a row may sum to "
        "more than 1.",
        *attention,
        "![shares, and what each hyperparameter alone does](attention.png)",
        f"## The hyperparameters of {plan.space.name}",
        "Share in the variance of each quantity's logarithm over the whole space, interactions included, and "
        "its 95% interval. Latencies are predicted.",
        _table(("hyperparameter", *shares.quantities), space_rows(shares)),
        "![shares by family, and by stage](space.png)",
    ]
    return "\n\n".join(sections) + "\n"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
