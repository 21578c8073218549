"""The default search on the six tables of hpo_nmt (Zhang & Duh 2020), against NSGA-II and random search.

    python benchmarks/search_study.py --tables DIR_OF_CSV_FILES [--seeds 30] [--runs runs/search_study]

Two budgets, as others ran these tables: 120 evaluations, 20 of them initial, on so-en and sw-en, 60 and 10
on the others. The parts, all of the same tables:

    random          BLEU and decoding time; the initial evaluations are numpy's
                    `default_rng(seed).permutation(rows)[:n]`, so that they pair with others' results
    ours            the same with a smaller initial design of our own
    fresh           as random, from seeds by which nothing was chosen
    ppl_parameters  perplexity and parameters, by which nothing was chosen
    three           BLEU, decoding time and parameters, by which nothing was chosen

The runs are made by `hytnas_jax.study_search` in the folder --runs; the same command goes on with them. An
hour on two cores.
"""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from common import RESULTS, save_result

from hytnas_jax.plots import save_figure
from hytnas_jax.study.figures import overview_figure
from hytnas_jax.study.folder import StudyFolder
from hytnas_jax.study_search import Config, main

LARGE = ("so-en", "sw-en")
SMALL = ("zh-en", "ja-en", "ru-en", "en-ja")
FEATURES = ("bpe_symbols", "num_layers", "num_embed", "num_hidden", "num_heads", "learning_rate")
OBJECTIVES = ("dev_bleu:max", "dev_gpu_time:min")


@dataclasses.dataclass(frozen=True)
class Part:
    """What differs between the parts; initial: of the large and of the small tables."""

    initial: tuple[int, int] = (20, 10)
    initial_design: Literal["random", "ours"] = "random"
    objectives: tuple[str, ...] = OBJECTIVES
    batch: tuple[int, ...] = (1,)
    fresh: bool = False


PARTS = {
    "random": Part(batch=(1, 4)),
    "ours": Part(initial=(8, 6), initial_design="ours"),
    "fresh": Part(batch=(1, 4), fresh=True),
    "ppl_parameters": Part(objectives=("dev_ppl:min", "num_param:min")),
    "three": Part(objectives=(*OBJECTIVES, "num_param:min")),
}


def study(options: argparse.Namespace, name: str, part: Part) -> dict[str, list[dict[str, Any]]]:
    """Run what is missing of a part; the rows of each table's summary."""
    problems = {}
    for names, evaluations, initial in zip((LARGE, SMALL), (120, 60), part.initial, strict=True):
        folder = options.runs / f"{name}-{evaluations}"
        main(
            Config(
                table=tuple(options.tables / f"{table}.csv" for table in names),
                features=FEATURES,
                objectives=part.objectives,
                output=folder,
                batch=part.batch,
                evaluations=evaluations,
                initial=initial,
                initial_design=part.initial_design,
                seeds=options.seeds,
                first_seed=options.seeds if part.fresh else 0,
            )
        )
        problems.update(json.loads((folder / "summary.json").read_text())["problems"])
    return problems


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
    for name, part in PARTS.items():
        problems = study(options, name, part)
        show(name, problems)
        results[name] = {"means": means(problems), "problems": problems}
    for evaluations, initial in zip((120, 60), PARTS["random"].initial, strict=True):
        runs = StudyFolder(options.runs / f"random-{evaluations}").runs()
        figure = overview_figure([r for r in runs if "/" not in r.job.strategy], initial=initial)
        save_figure(RESULTS / f"search_study_{evaluations}.png", figure)
    save_result("search_study", results)


if __name__ == "__main__":
    run_all()
