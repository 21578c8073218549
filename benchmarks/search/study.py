"""The default search on the six tables of hpo_nmt (Zhang & Duh 2020), against NSGA-II and random search.

    python -m benchmarks.search.study --tables DIR_OF_CSV_FILES

Two budgets, as others ran these tables: 120 evaluations, 20 of them initial, on so-en and sw-en, 60 and 10
on the others; then again with a smaller initial design of our own. The initial evaluations of the first are
numpy's `default_rng(seed).permutation(rows)[:n]`, so that they pair with others' results. The runs are made
by `hytnas_jax.study_search` in the folder --runs; the same command goes on with them. A quarter of an hour on
two cores.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, save_plot
from hytnas_jax import study_search
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


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the default search with NSGA-II and random search on six tables."""

    tables: Path
    """The folder of their CSV files."""
    seeds: int = 30
    """Searches of each strategy on each table."""
    runs: Path = Path("runs/search_study")
    """The folder of the runs."""
    name: str = "search_study"
    """Of the result's files."""


def study(folder: Path, tables: tuple[Path, ...], *, evaluations: int, **flags: Any) -> dict[str, Any]:
    """Run one `study_search` and read its summary."""
    study_search.main(study_search.Config(table=tables, output=folder, evaluations=evaluations, **flags))
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


def benchmark(config: Config) -> dict[str, Any]:
    """Run what is missing, print, and write the figures."""
    require_at_least(config, {"seeds": 1})
    results = {}
    for design, parts in PARTS.items():
        problems: dict[str, Any] = {}
        for names, evaluations, initial in parts:
            summary = study(
                config.runs / f"{design}-{evaluations}",
                tuple(config.tables / f"{name}.csv" for name in names),
                features=FEATURES,
                objectives=OBJECTIVES,
                evaluations=evaluations,
                initial=initial,
                initial_design=design,
                seeds=config.seeds,
                batch=(1, 4) if design == "random" else (1,),
            )
            problems.update(summary["problems"])
        show(f"initial design {design}", problems)
        results[design] = {"means": means(problems), "problems": problems}
    for _, evaluations, initial in PARTS["random"]:
        runs = StudyFolder(config.runs / f"random-{evaluations}").runs()
        figure = overview_figure([r for r in runs if "/" not in r.job.strategy], initial=initial)
        save_plot(f"{config.name}_{evaluations}", figure)
    return results


if __name__ == "__main__":
    main(benchmark, Config)
