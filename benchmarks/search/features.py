"""What the surrogates should see of a network: genes alone, or cheap estimates of it too.

    python -m benchmarks.search.features --workdir runs/digits

Random networks of a trained supernet are evaluated on the validation split; then each surrogate predicts the
errors of networks that it was not fitted on, from 32 and from 96 of them, over `REPEATS` random splits.
Reported: median Spearman's rho and mean absolute error, and how often the true value lies in the 90% interval
that the surrogate gives (of the value without noise: less than 90% is expected). The evaluated networks are
kept in `<workdir>/benchmarks/search_features.csv`, so that the same command again goes on with them.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, show
from hytnas_jax import console
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.mobo.surrogates import SURROGATES, fit_surrogate
from hytnas_jax.training.supernet import supernet_error
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs, num_parameters
from proxies.ranking import spearman_rho
from proxies.zen_score import ZenScore
from supernet.architecture import Architecture
from supernet.encoding import to_features

NUM_FITTED = (32, 96)  # about the first and the last batch of a search
REPEATS = 20
INTERVAL = 1.645  # standard deviations, 90%
ZEN_REPEATS = (1, 32)


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare features by how well surrogates predict from them."""

    workdir: Path
    """A work folder in which train_supernet has ended."""
    networks: int = 150
    """Random networks to evaluate."""
    name: str = "search_features"
    """Of the result's file."""


def evaluate(project: Project, networks: int) -> tuple[np.ndarray, np.ndarray]:
    """Random codes [N, G] and their errors [N] with the supernet's weights, kept in a file."""
    drawn = project.space.sample(np.random.default_rng([0, 77]), 2 * networks)
    _, first = np.unique(drawn, axis=0, return_index=True)
    genes = drawn[np.sort(first)[:networks]]
    log = CsvLog(project.workdir.path / "benchmarks" / "search_features.csv", ("name", "error"))
    errors = {row["name"]: float(row["error"]) for row in log.rows()}
    architectures = project.space.decode_all(genes)
    missing = [a for a in architectures if a.name not in errors]
    if missing:
        estimator = supernet_error(project)
        with console.progress(missing, "evaluating", done=len(genes) - len(missing)) as bar:
            for architecture in bar:
                errors[architecture.name] = float(estimator([architecture])[0])
                log.append({"name": architecture.name, "error": errors[architecture.name]})
    return genes, np.array([errors[a.name] for a in architectures])


def feature_sets(project: Project, genes: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Name -> features [N, F]; and the seconds that each estimate took for a network."""
    architectures = project.space.decode_all(genes)
    complexity, seconds_complexity = _timed(
        lambda a: np.log(np.stack([num_parameters(project.to_spec)(a), num_macs(project.to_spec)(a)], 1)),
        architectures,
    )
    zen, seconds_zen = {}, {}
    for repeats in ZEN_REPEATS:
        zen_score = ZenScore(project.space, channels=project.channels, repeats=repeats, batch=16)
        zen_score(_one_of_each_resolution(architectures))  # compiles
        zen[repeats], seconds_zen[repeats] = _timed(lambda a: zen_score(a)[:, None], architectures)  # noqa: B023
    encoded = to_features(project.space, genes)
    sets = {
        "genes": encoded,
        "genes+complexity": np.concatenate([encoded, complexity], axis=1),
        **{f"genes+zen of {n}": np.concatenate([encoded, zen[n]], axis=1) for n in ZEN_REPEATS},
        "all": np.concatenate([encoded, complexity, zen[max(ZEN_REPEATS)]], axis=1),
        "complexity alone": complexity,
        "zen alone": zen[max(ZEN_REPEATS)],
    }
    seconds = {f"zen of {n}": seconds_zen[n] for n in ZEN_REPEATS}
    return sets, {"complexity": seconds_complexity, **seconds}


def _one_of_each_resolution(architectures: list[Architecture]) -> list[Architecture]:
    return list({architecture.resolution: architecture for architecture in architectures}.values())


def _timed(
    estimate: Callable[[list[Architecture]], np.ndarray], architectures: list[Architecture]
) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    values = estimate(architectures)
    return values, (time.perf_counter() - started) / len(architectures)


def cross_validate(surrogate: str, features: np.ndarray, errors: np.ndarray, num_fitted: int) -> np.ndarray:
    """Scores [REPEATS, 3]: Spearman, mean absolute error, share inside the interval.

    The splits are the same for every surrogate and all features.
    """
    scores = []
    for repeat in range(REPEATS):
        order = np.random.default_rng([1, repeat]).permutation(len(errors))
        fitted, held_out = order[:num_fitted], order[num_fitted:]
        predictor = fit_surrogate(
            SURROGATES[surrogate](seed=repeat), features[fitted], errors[fitted], name="error"
        )
        mean, std = predictor.predict(features[held_out])
        away = np.abs(mean - errors[held_out])
        scores.append((spearman_rho(mean, errors[held_out]), away.mean(), (away <= INTERVAL * std).mean()))
    return np.array(scores)


def compare(sets: dict[str, np.ndarray], errors: np.ndarray) -> list[dict[str, Any]]:
    """A row for each size, surrogate and features: medians, and in which share of the splits its Spearman
    is above that of the genes alone."""
    rows = []
    for num_fitted, surrogate in itertools.product(NUM_FITTED, SURROGATES):
        scores = {name: cross_validate(surrogate, x, errors, num_fitted) for name, x in sets.items()}
        for name, of_splits in scores.items():
            spearman, away, inside = np.median(of_splits, axis=0).round(4).tolist()
            rows.append(
                {
                    "fitted": num_fitted,
                    "surrogate": surrogate,
                    "features": name,
                    "spearman": spearman,
                    "above_genes": float(np.mean(of_splits[:, 0] > scores["genes"][:, 0])),
                    "mean_absolute_error": away,
                    "inside_90_percent": inside,
                }
            )
    return rows


def benchmark(config: Config) -> dict[str, Any]:
    """Evaluate, cross-validate, print."""
    require_at_least(config, {"networks": max(NUM_FITTED) + 2})
    project = open_project(Workdir(config.workdir))
    genes, errors = evaluate(project, config.networks)
    sets, seconds = feature_sets(project, genes)
    rows = compare(sets, errors)
    show(rows)
    quantiles = dict(zip(("min", "median", "max"), np.quantile(errors, [0, 0.5, 1]).tolist(), strict=True))
    return {
        "space": project.space.name,
        "resolutions": list(project.space.resolution),
        "data": project.source,
        "supernet": project.workdir.step("supernet").done()["summary"],
        "errors": {**quantiles, "std": float(errors.std())},
        "seconds_a_network": seconds,
        "rows": rows,
    }


if __name__ == "__main__":
    main(benchmark, Config)
