"""The default search where nothing was chosen by how it does: other seeds, objectives and tables.

    python benchmarks/search_unseen.py --tables DIR_OF_CSV_FILES --cells tnb101_micro.csv [--seeds 30]

The default was chosen on the tables of `search_study` with two objectives and the first 30 seeds; its result
there flatters it. Here it meets, beside NSGA-II and random search:

    fresh           the same tables and objectives, from other seeds
    ppl_parameters  the same tables, perplexity against parameters
    three           the same tables, BLEU, decoding time and parameters
    scene, object   1,000 convolutional cells of six categorical edges (TransNAS-Bench-101's micro space, from
                    NAS-Bench-Suite-Zero): accuracy against FLOPs, accuracy against parameters

Runs are made by `hytnas_jax.study_search` in the folder --runs; the same command goes on with them. Half an
hour on two cores.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.common import save_result
from benchmarks.search.study import FEATURES, OBJECTIVES, PARTS, means, show, study

EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")
CELLS = {
    "scene": ("val_class_scene:max", "flops_m:min"),
    "object": ("val_class_object:max", "params_m:min"),
}


def main() -> None:
    """Run what is missing, print, and write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--runs", type=Path, default=Path("runs/search_study"))
    options = parser.parse_args()

    def on_tables(name: str, **flags: Any) -> dict[str, Any]:
        problems: dict[str, Any] = {}
        for names, evaluations, initial in PARTS["random"]:
            summary = study(
                options.runs / f"{name}-{evaluations}",
                tuple(options.tables / f"{table}.csv" for table in names),
                evaluations=evaluations,
                initial=initial,
                seeds=options.seeds,
                **{"features": FEATURES, "objectives": OBJECTIVES, **flags},
            )
            problems.update(summary["problems"])
        return problems

    parts = {
        "fresh": on_tables("fresh", first_seed=options.seeds, batch=(1, 4)),
        "ppl_parameters": on_tables("ppl_parameters", objectives=("dev_ppl:min", "num_param:min")),
        "three": on_tables("three", objectives=(*OBJECTIVES, "num_param:min")),
    }
    for name, objectives in CELLS.items():
        flags = {"features": EDGES, "objectives": objectives, "seeds": options.seeds}
        folder = options.runs / f"{name}-80"
        parts[name] = study(folder, (options.cells,), evaluations=80, initial=10, **flags)["problems"]
    for name, problems in parts.items():
        show(name, problems)
    results = {name: {"means": means(problems), "problems": problems} for name, problems in parts.items()}
    save_result("search_unseen", results)


if __name__ == "__main__":
    main()
