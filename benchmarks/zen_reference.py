"""Our Zen-score against published ones: cells of TransNAS-Bench-101 as NAS-Bench-Suite-Zero scored them.

    python benchmarks/zen_reference.py --scores FILE

FILE is a CSV with a row for each cell: its edges' operations (`edge_0_1` to `edge_2_3`), `zen_` and `val_` of
each task, `params_m` and `flops_m`. First the networks have to be the published ones: parameters
and FLOPs of every row are compared as float32 numbers, as which they were published. Then `--cells` random
connected cells and all disconnected ones are scored by `proxies.zen_score`, in one compiled program with one
draw of weights.

Reported is Spearman's rho with the published scores, for two readings of a BatchNorm's variance:

- `ours`: the variance of the batch x, as in the paper and in `ZenScore`. Norms that see only zeros, because
  the cell's input does not reach them, are left out: their variance has no logarithm.
- `released`: PyTorch's running variance after both passes, 0.81 + 0.09 var(x) + 0.1 var(x + 0.01 e), as in
  the released programs. It should give the published score itself but for the draw.
"""

import csv
import dataclasses
import functools
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from common import RESULTS, require_at_least, save_result
from matplotlib.figure import Figure
from transnas_cells import EDGES, OUTPUT, RESOLUTION, cell_networks, count, encode, norm_widths, reached

from hytnas_jax import console
from hytnas_jax.flags.settings import flags_of, settings_of
from hytnas_jax.plots import save_figure
from hytnas_jax.runtime.command_line import run
from proxies.ranking import spearman_rho
from proxies.zen_score import BATCH, draw, log_scales, reaction
from supernet.errors import UserError
from supernet.model import Model, Tree

TASKS = ("class_scene", "class_object")
READINGS = ("ours", "released")
DISCONNECTED = -1e8  # what was published where the score is the logarithm of 0
COLUMNS = (
    *(f"edge_{source}_{target}" for source, target in EDGES),
    *(f"{kind}_{task}" for task in TASKS for kind in ("zen", "val")),
    *("params_m", "flops_m"),
)
# One call of BatchNorm in PyTorch leaves 0.9 of the running variance, which starts at 1; there are two calls.
STARTING, OF_BATCH = 0.9**2, 1 - 0.9**2


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare our Zen-score with published ones."""

    scores: Path
    """The CSV file of published scores."""
    cells: int = 300
    """Connected cells to score, drawn at random; all if there are fewer."""
    resolution: int = RESOLUTION
    """Side of the images in pixels; the published scores are of 256."""
    batch: int = BATCH
    """Images of a draw; the published scores are of 64."""
    seed: int = 0
    """Of the draw of cells, weights and images."""
    name: str = "zen_reference"
    """Of the result's files."""


@dataclasses.dataclass(frozen=True)
class Published:
    """The file: cells int32 [N, 6], and its numbers by column, float64 [N]."""

    cells: np.ndarray
    numbers: dict[str, np.ndarray]


def read_published(path: Path) -> Published:
    """Read the CSV file.

    Raises:
      UserError: a column is missing.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = sorted(set(COLUMNS) - set(rows[0] if rows else ()))
    if missing:
        raise UserError(
            f"--scores {path}: has no column {', '.join(missing)}; needed are {', '.join(COLUMNS)}"
        )
    edges, others = COLUMNS[: len(EDGES)], COLUMNS[len(EDGES) :]
    cells = np.stack([encode([row[edge] for edge in edges]) for row in rows])
    return Published(cells, {name: np.array([float(row[name]) for row in rows]) for name in others})


def check_networks(model: Model, published: Published) -> None:
    """Compare parameters, FLOPs and connection of every cell with what was published.

    Raises:
      ValueError: a cell differs.
    """
    counts = np.array([count(model.abstract_params, cell) for cell in published.cells]) / 1e6
    connected = np.array([reached(cell)[OUTPUT] for cell in published.cells])
    as_published = counts.astype(np.float32).astype(np.float64)
    for column, decimals, values in zip(("params_m", "flops_m"), (6, 4), as_published.T, strict=True):
        different = np.flatnonzero(values.round(decimals) != published.numbers[column])
        if len(different):
            raise ValueError(f"{column} of {len(different)} cells, the first in row {different[0] + 1}")
    for task in TASKS:
        if ((published.numbers[f"zen_{task}"] != DISCONNECTED) != connected).any():
            raise ValueError(f"other cells are disconnected in {task}")


def readings(model: Model, params: Tree, pair: jax.Array, cell: jax.Array) -> jax.Array:
    """The score of a cell by each of `READINGS` [2]."""
    change, stats = reaction(model, params, pair, cell)
    running = jax.tree.map(lambda variance: STARTING + OF_BATCH * variance, stats)
    ours = log_scales(stats, norm_widths(cell, unreached=False))
    released = log_scales(running, norm_widths(cell, unreached=True))
    return jnp.log(change) + jnp.stack([ours, released])


def score_all(model: Model, cells: np.ndarray, config: Config) -> tuple[np.ndarray, float]:
    """Scores float64 [N, 2] of the cells with the same weights and images; seconds a cell."""
    images = (config.batch, config.resolution, config.resolution, 3)
    params, pair = jax.jit(lambda key: draw(key, model, images))(jax.random.key(config.seed))
    scores = jax.jit(functools.partial(readings, model))
    jax.block_until_ready(scores(params, pair, cells[0]))  # compiles
    started = time.perf_counter()
    with console.progress(list(cells), "scoring") as bar:
        result = np.array([scores(params, pair, cell) for cell in bar], np.float64)
    return result, (time.perf_counter() - started) / len(cells)


def compare(published: Published, chosen: np.ndarray, scores: np.ndarray) -> list[dict[str, Any]]:
    """Rank agreement, and difference in value, for each task and reading; `chosen` are the scored
    rows."""
    rows = []
    for task in TASKS:
        theirs, metric = (published.numbers[f"{kind}_{task}"][chosen] for kind in ("zen", "val"))
        for reading, values in zip(READINGS, scores.T, strict=True):
            rows.append(
                {
                    "task": task,
                    "variance": reading,
                    "spearman": round(spearman_rho(values, theirs), 5),
                    "mean_difference": round(float(np.mean(values - theirs)), 3),
                    "std_difference": round(float(np.std(values - theirs)), 3),
                    "spearman_with_metric": round(spearman_rho(values, metric), 4),
                    "published_with_metric": round(spearman_rho(theirs, metric), 4),
                }
            )
    return rows


def figure(theirs: np.ndarray, scores: np.ndarray) -> Figure:
    """Our scores over the published ones, a panel for each reading."""
    drawn = Figure(figsize=(9, 4.2), layout="constrained")
    titles = ("variance of the batch (the paper, ours)", "running variance (the released programs)")
    for panel, title, values in zip(drawn.subplots(1, 2), titles, scores.T, strict=True):
        panel.axline((theirs[0], theirs[0]), slope=1, color="#a0a0a0", linewidth=1, label="equal")
        panel.scatter(theirs, values, s=8, alpha=0.6)
        panel.set_title(f"{title}\nSpearman {spearman_rho(values, theirs):.4f}", fontsize=10)
        panel.set_xlabel(f"published Zen-score, {TASKS[0]}")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    drawn.axes[0].set_ylabel("our Zen-score")
    return drawn


def main(config: Config) -> None:
    """Check the networks, score cells, print the table and write the JSON file and the figure."""
    require_at_least(config, {"cells": 3, "resolution": 32, "batch": 1})
    published, model = read_published(config.scores), cell_networks()
    check_networks(model, published)
    console.say(f"parameters and FLOPs of all {len(published.cells)} cells are the published ones")
    is_connected = published.numbers[f"zen_{TASKS[0]}"] != DISCONNECTED
    connected, disconnected = np.flatnonzero(is_connected), np.flatnonzero(~is_connected)
    chosen = np.random.default_rng(config.seed).permutation(connected)[: config.cells]
    everything = published.cells[np.concatenate([chosen, disconnected])]
    scores, seconds = score_all(model, everything, config)
    scores, of_disconnected = np.split(scores, [len(chosen)])
    rows = compare(published, chosen, scores)
    console.table([tuple(row.values()) for row in rows], tuple(rows[0]))
    theirs = [published.numbers[f"zen_{task}"][chosen] for task in TASKS]
    as_typed = dataclasses.replace(config, scores=Path("FILE"))
    data = {
        "command": f"python benchmarks/zen_reference.py {flags_of(as_typed)}",
        "settings": settings_of(config, without=("scores",)),
        "cells_of_equal_parameters_and_flops": len(published.cells),
        "connected": {"scored": len(chosen), "finite": int(np.isfinite(scores).all(axis=1).sum())},
        "disconnected": {
            "scored": len(disconnected),
            "minus_infinity": int(np.isneginf(of_disconnected).all(axis=1).sum()),
        },
        "rows": rows,
        "published_with_each_other": {
            "spearman": round(spearman_rho(*theirs), 5),
            "std_difference": round(float(np.std(theirs[0] - theirs[1])), 3),
        },
        "seconds_a_cell": round(seconds, 3),
    }
    save_result(config.name, data)
    save_figure(RESULTS / f"{config.name}.png", figure(theirs[0], scores))


if __name__ == "__main__":
    run(main, Config)
