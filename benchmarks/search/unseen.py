"""The default search where nothing was chosen by how it does: other seeds, objectives and tables.

    python -m benchmarks.search.unseen --tables DIR_OF_CSV_FILES --cells tnb101_micro.csv

The default was chosen on the tables of `search.study` with two objectives and the first 30 seeds; its result
there flatters it. Here it meets, beside NSGA-II and random search:

    fresh           the same tables and objectives, from other seeds
    ppl_parameters  the same tables, perplexity against parameters
    three           the same tables, BLEU, decoding time and parameters
    scene, object   1,000 convolutional cells of six categorical edges (TransNAS-Bench-101's micro space, from
                    NAS-Bench-Suite-Zero): accuracy against FLOPs, accuracy against parameters

Runs are made by `hytnas_jax.study_search` in the folder --runs; the same command goes on with them. Half an
hour on two cores.
"""

import dataclasses
from pathlib import Path
from typing import Any

from benchmarks.common import main, require_at_least
from benchmarks.search.study import FEATURES, OBJECTIVES, PARTS, means, show, study

EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")
CELLS = {
    "scene": ("val_class_scene:max", "flops_m:min"),
    "object": ("val_class_object:max", "params_m:min"),
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the default search with NSGA-II and random search where it was not chosen."""

    tables: Path
    """The folder of the six CSV files of `search.study`."""
    cells: Path
    """The CSV file of cells."""
    seeds: int = 30
    """Searches of each strategy on each problem."""
    runs: Path = Path("runs/search_study")
    """The folder of the runs."""
    name: str = "search_unseen"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Run what is missing, and print."""
    require_at_least(config, {"seeds": 1})
    parts = {
        "fresh": on_tables(config, "fresh", first_seed=config.seeds, batch=(1, 4)),
        "ppl_parameters": on_tables(config, "ppl_parameters", objectives=("dev_ppl:min", "num_param:min")),
        "three": on_tables(config, "three", objectives=(*OBJECTIVES, "num_param:min")),
    }
    for name, objectives in CELLS.items():
        flags = {"features": EDGES, "objectives": objectives, "seeds": config.seeds}
        folder = config.runs / f"{name}-80"
        parts[name] = study(folder, (config.cells,), evaluations=80, initial=10, **flags)["problems"]
    for name, problems in parts.items():
        show(name, problems)
    return {name: {"means": means(problems), "problems": problems} for name, problems in parts.items()}


def on_tables(config: Config, name: str, **flags: Any) -> dict[str, Any]:
    """Problem -> its rows, of the six tables; `flags` are those of `study_search`."""
    problems: dict[str, Any] = {}
    for names, evaluations, initial in PARTS["random"]:
        summary = study(
            config.runs / f"{name}-{evaluations}",
            tuple(config.tables / f"{table}.csv" for table in names),
            evaluations=evaluations,
            initial=initial,
            seeds=config.seeds,
            **{"features": FEATURES, "objectives": OBJECTIVES, **flags},
        )
        problems.update(summary["problems"])
    return problems


if __name__ == "__main__":
    main(benchmark, Config)
