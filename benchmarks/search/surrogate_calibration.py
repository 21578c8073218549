"""How well each surrogate predicts, and how well it knows how well, from few points.

    python -m benchmarks.search.surrogate_calibration
    python -m benchmarks.search.surrogate_calibration --table CSV --features COLUMN ... --targets COLUMN ...

The synthetic space is that of `search.synthetic`: its accuracy is fitted with noise and held out without,
which is what a predictor's deviation is of; its cost has no noise. A table's rows are fitted and held out
as they are, so that where they are noisy less than 90% inside is expected. Each surrogate sees the same
random points. Columns: Spearman's rho; root mean squared error in standard deviations of the held-out
values (1 is as good as their mean); the share of them inside the 90% interval; the negative
log-likelihood of a normal distribution, in the same units (1.42 is that of their mean and deviation);
seconds to fit, after one fit that compiles. All are medians over the repeats.
"""

import csv
import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import main, require_at_least, show
from benchmarks.search.synthetic import CARDINALITIES, NOISE, accuracy, canonical, cost
from benchmarks.search.synthetic import features as synthetic_features
from hytnas_jax.mobo.surrogates import SURROGATES, Surrogate, fit_surrogate
from proxies.ranking import spearman_rho
from supernet.errors import UserError

NUM_HELD_OUT = 500
MIN_HELD_OUT = 20
INTERVAL = 1.645  # standard deviations, 90%
METRICS = ("spearman", "rmse", "inside_90", "nll", "fit_seconds")


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare what surrogates predict, and how sure they are, with values that they have not seen."""

    surrogates: tuple[str, ...] = tuple(SURROGATES)
    """Which ones; by default all that the search has."""
    fitted: tuple[int, ...] = (20, 60, 200)
    """Numbers of points that they are fitted to."""
    repeats: int = 10
    """Draws of the points."""
    table: Path | None = None
    """A CSV file instead of the synthetic space."""
    features: tuple[str, ...] = ()
    """Its columns to learn from."""
    targets: tuple[str, ...] = ()
    """Its columns to predict."""
    name: str = "surrogate_calibration"
    """Of the result's file."""


# (points, rng) -> features to fit [points, F], targets [points]; held-out features [H, F], targets [H]
Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Case = Callable[[int, np.random.Generator], Sample]


def synthetic(target: Callable[[np.ndarray], np.ndarray], noise: float) -> Case:
    """Random architectures of the synthetic space."""

    def case(points: int, rng: np.random.Generator) -> Sample:
        shape = (points + NUM_HELD_OUT, len(CARDINALITIES))
        genes = canonical(rng.integers(0, CARDINALITIES, size=shape))
        x, y = synthetic_features(genes), target(genes)
        noisy = y[:points] + noise * rng.standard_normal(points)
        return x[:points], noisy, x[points:], y[points:]

    return case


def table(x: np.ndarray, y: np.ndarray) -> Case:
    """Random rows of a table: x [N, F], y [N]."""

    def case(points: int, rng: np.random.Generator) -> Sample:
        order = rng.permutation(len(y))
        fitted, held_out = order[:points], order[points:]
        return x[fitted], y[fitted], x[held_out], y[held_out]

    return case


def read_columns(path: Path, names: Sequence[str]) -> np.ndarray:
    """float64 [N, len(names)] from a CSV file with a header."""
    with path.open(newline="") as file:
        return np.array([[float(row[name]) for name in names] for row in csv.DictReader(file)])


def evaluate(surrogate: Callable[..., Surrogate], sample: Sample, seed: int) -> list[float]:
    """`METRICS` of one fit."""
    x, y, held_out_x, held_out_y = sample
    started = time.perf_counter()
    predictor = fit_surrogate(surrogate(seed=seed), x, y, name="target")
    seconds = time.perf_counter() - started
    mean, std = predictor.predict(held_out_x)
    scale = held_out_y.std()
    error, std = (mean - held_out_y) / scale, np.maximum(std / scale, 1e-6)
    nll = np.mean(0.5 * (error / std) ** 2 + np.log(std) + 0.5 * np.log(2.0 * np.pi))
    inside = np.mean(np.abs(error) <= INTERVAL * std)
    return [spearman_rho(mean, held_out_y), float(np.sqrt(np.mean(error**2))), inside, nll, seconds]


def compare(
    cases: Mapping[str, Case],
    surrogates: Mapping[str, Callable[..., Surrogate]],
    fitted: Sequence[int],
    repeats: int,
) -> list[dict[str, Any]]:
    """A row for each case, number of points and surrogate."""
    rows = []
    for (case, draw), points in itertools.product(cases.items(), fitted):
        samples = [draw(points, np.random.default_rng([2, repeat])) for repeat in range(repeats)]
        for name, surrogate in surrogates.items():
            evaluate(surrogate, samples[0], seed=0)  # compiles
            metrics = [evaluate(surrogate, sample, seed=seed) for seed, sample in enumerate(samples)]
            medians = dict(zip(METRICS, np.median(metrics, axis=0).round(4).tolist(), strict=True))
            rows.append({"target": case, "fitted": points, "surrogate": name, **medians})
    return rows


def cases_of(config: Config) -> dict[str, Case]:
    """Target -> what is drawn of it. Raises UserError for a table that is too short or has no such column."""
    if config.table is None:
        return {"accuracy": synthetic(accuracy, NOISE), "cost": synthetic(cost, 0.0)}
    if not config.features or not config.targets:
        raise UserError("--table: say with --features and --targets which columns to learn and to predict")
    x, y = (read_columns(config.table, names) for names in (config.features, config.targets))
    if len(x) < max(config.fitted) + MIN_HELD_OUT:
        raise UserError(
            f"--fitted {max(config.fitted)}: {config.table.name} has {len(x)} rows, of which {MIN_HELD_OUT} "
            f"are held out; give at most {len(x) - MIN_HELD_OUT}"
        )
    return {target: table(x, y[:, i]) for i, target in enumerate(config.targets)}


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print."""
    require_at_least(config, {"repeats": 1})
    for name in set(config.surrogates) - SURROGATES.keys():
        raise UserError(f"--surrogates {name}: must be among {', '.join(SURROGATES)}")
    surrogates = {name: SURROGATES[name] for name in config.surrogates}
    with threadpool_limits(1):
        rows = compare(cases_of(config), surrogates, config.fitted, config.repeats)
    show(rows)
    source = config.table.name if config.table else "search.synthetic"
    return {"source": source, "rows": rows}


if __name__ == "__main__":
    main(benchmark, Config)
