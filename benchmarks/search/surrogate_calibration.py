"""How well each surrogate predicts, and how well it knows how well, from few points.

    python benchmarks/surrogate_calibration.py [--surrogates gp bnn] [--fitted 20 60 200] [--repeats 10]
        [--table CSV --features COLUMN ... --targets COLUMN ...] [--name surrogate_calibration]

The synthetic space is that of `mobo_synthetic.py`: its accuracy is fitted with noise and held out without,
which is what a predictor's deviation is of; its cost has no noise. A table's rows are fitted and held out
as they are, so that where they are noisy less than 90% inside is expected. Each surrogate sees the same
random points. Columns: Spearman's rho; root mean squared error in standard deviations of the held-out
values (1 is as good as their mean); the share of them inside the 90% interval; the negative
log-likelihood of a normal distribution, in the same units (1.42 is that of their mean and deviation);
seconds to fit, after one fit that compiles. All are medians over the repeats.
"""

import argparse
import csv
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.common import save_result
from benchmarks.search.synthetic import CARDINALITIES, NOISE, accuracy, canonical, cost
from benchmarks.search.synthetic import features as synthetic_features
from threadpoolctl import threadpool_limits

from hytnas_jax import console
from hytnas_jax.mobo.surrogates import SURROGATES, Surrogate, fit_surrogate
from proxies.ranking import spearman_rho

NUM_HELD_OUT = 500
MIN_HELD_OUT = 20
INTERVAL = 1.645  # standard deviations, 90%
METRICS = ("spearman", "rmse", "inside_90", "nll", "fit_seconds")

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


def read_columns(path: Path, names: list[str]) -> np.ndarray:
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
    cases: dict[str, Case], surrogates: dict[str, Callable[..., Surrogate]], fitted: list[int], repeats: int
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


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--surrogates", nargs="+", choices=tuple(SURROGATES), default=list(SURROGATES))
    parser.add_argument("--fitted", nargs="+", type=int, default=[20, 60, 200], help="numbers of points")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--table", type=Path, help="a CSV file instead of the synthetic space")
    parser.add_argument("--features", nargs="+", default=[], help="its columns to learn from")
    parser.add_argument("--targets", nargs="+", default=[], help="its columns to predict")
    parser.add_argument("--name", default="surrogate_calibration", help="of the result's file")
    options = parser.parse_args()
    if options.table:
        x, y = (read_columns(options.table, names) for names in (options.features, options.targets))
        if len(x) < max(options.fitted) + MIN_HELD_OUT:
            parser.error(f"--fitted {max(options.fitted)}: {options.table.name} has {len(x)} rows")
        cases = {target: table(x, y[:, i]) for i, target in enumerate(options.targets)}
    else:
        cases = {"accuracy": synthetic(accuracy, NOISE), "cost": synthetic(cost, 0.0)}
    rows = compare(
        cases, {name: SURROGATES[name] for name in options.surrogates}, options.fitted, options.repeats
    )
    console.table([tuple(row.values()) for row in rows], tuple(rows[0]))
    source = options.table.name if options.table else "mobo_synthetic.py"
    data = {"source": source, "features": options.features, "repeats": options.repeats, "rows": rows}
    save_result(options.name, data)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
