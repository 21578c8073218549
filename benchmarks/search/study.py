"""The default search on the six tables of hpo_nmt (Zhang & Duh 2020), against NSGA-II and random search.

    python benchmarks/search_study.py --tables DIR_OF_CSV_FILES [--seeds 30] [--runs runs/search_study]

Two budgets, as others ran these tables: 120 evaluations, 20 of them initial, on so-en and sw-en, 60 and 10
on the others; then again with a smaller initial design of our own. The initial evaluations of the first are
numpy's `default_rng(seed).permutation(rows)[:n]`, so that they pair with others' results. The runs are made
by `hytnas_jax.study_search` in the folder --runs; the same command goes on with them. A quarter of an hour on
two cores.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.common import RESULTS, save_result

from hytnas_jax.plots import save_figure
from hytnas_jax.study_search import main
from hytnas_jax.study_search.config import Config
from hytnas_jax.study_search.figures import overview_figure
from hytnas_jax.study_search.folder import StudyFolder

LARGE = ("so-en", "sw-en")
SMALL = ("zh-en", "ja-en", "ru-en", "en-ja")
FEATURES = ("bpe_symbols", "num_layers", "num_embed", "num_hidden", "num_heads", "learning_rate")
OBJECTIVES = ("dev_bleu:max", "dev_gpu_time:min")
# design -> tables, evaluations, initial
PARTS = {
    "random": ((LARGE, 120, 20), (SMALL, 60, 10)),
    "ours": ((LARGE, 120, 8), (SMALL, 60, 6)),
}


def study(folder: Path, tables: tuple[Path, ...], *, evaluations: int, **flags: Any) -> dict[str, Any]:
    """Run one `study_search` and read its summary."""
    main(Config(table=tables, output=folder, evaluations=evaluations, **flags))
    return json.loads((folder / "summary.json").read_text())


def means(problems: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Strategy -> its AUC-regret and final regret, mean over the tables with equal weights."""
    by_strategy: dict[str, list[dict[str, Any]]] = {}
    for rows in problems.values():
        for row in rows:
            by_strategy.setdefault(row["strategy"], []).append(row)
    return {
        strategy: {key: float(np.mean([row[key] for row in rows])) for key in ("auc_regret", "final_regret")}
        for strategy, rows in by_strategy.items()
    }


def show(name: str, problems: dict[str, list[dict[str, Any]]]) -> None:
    """AUC-regret by table, and the means."""
    print(f"{name}: AUC-regret on {', '.join(problems)}; means of it and of the final regret")
    for strategy, mean in means(problems).items():
        regrets = [
            next(r["auc_regret"] for r in rows if r["strategy"] == strategy) for rows in problems.values()
        ]
        values = "  ".join(f"{value:5.2f}" for value in regrets)
        print(f"  {strategy:10s} {values}  |  {mean['auc_regret']:.2f}  {mean['final_regret']:.2f}")


def run_all() -> None:
    """Run what is missing, print, and write the JSON file and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--runs", type=Path, default=Path("runs/search_study"))
    options = parser.parse_args()
    results = {}
    for design, parts in PARTS.items():
        problems: dict[str, Any] = {}
        for names, evaluations, initial in parts:
            summary = study(
                options.runs / f"{design}-{evaluations}",
                tuple(options.tables / f"{name}.csv" for name in names),
                features=FEATURES,
                objectives=OBJECTIVES,
                evaluations=evaluations,
                initial=initial,
                initial_design=design,
                seeds=options.seeds,
                batch=(1, 4) if design == "random" else (1,),
            )
            problems.update(summary["problems"])
        show(f"initial design {design}", problems)
        results[design] = {"means": means(problems), "problems": problems}
    for _, evaluations, initial in PARTS["random"]:
        runs = StudyFolder(options.runs / f"random-{evaluations}").runs()
        figure = overview_figure([r for r in runs if "/" not in r.job.strategy], initial=initial)
        save_figure(RESULTS / f"search_study_{evaluations}.png", figure)
    save_result("search_study", results)


if __name__ == "__main__":
    run_all()
