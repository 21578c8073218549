"""How well latency is predicted for networks that were not measured, on two devices and between them.

    python -m benchmarks.latency.predictor

Measures 300 uniformly drawn networks of `hybrid` under ONNX Runtime and under LiteRT, one thread each (some
minutes; `measurements`), unless `results/latency_predictor/` has them, and writes there:

- the learning curve: every regressor, the one that `LatencyPredictor.fit` chooses, and MACs and parameters
  alone, fitted to 10 to 100 networks and evaluated on 200 others. Means over draws of who is fitted and
  evaluated;
- the transfer: a predictor of 100 networks of one device, moved to the other by 5 to 20 measurements, beside
  one fitted to these alone.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.common import main, save_plot
from benchmarks.latency.predictor.figure import learning_and_transfer
from benchmarks.latency.predictor.measurements import FOLDER, RESOLUTION, Measured, measure, networks, to_spec
from hytnas_jax.files.atomic import read_json
from proxies.complexity import complexity
from proxies.latency.choice import REGRESSORS
from proxies.latency.error import HeldOutError, Times
from proxies.latency.features import Features, feature_table
from proxies.latency.predictor import MIN_MEASURED, MIN_NETWORKS, LatencyPredictor, held_out_error

NUM_DRAWS, NUM_EVALUATED = 10, 200
NUM_FITTED = (10, 20, 50, 100)
NUM_MOVED = (MIN_MEASURED, 10, 20)
NUM_PREDICTED = 10_000
CHOSEN = "chosen"


@dataclasses.dataclass(frozen=True)
class Config:
    """Fit latency predictors to measured networks, and evaluate them on others."""

    name: str = "latency_predictor"
    """Of the result's files."""


Predict = Callable[[Features], Times]
Fit = Callable[[Features, Times], Predict | LatencyPredictor]


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """What is known of the networks [N] without measuring: features [N, F], MACs and parameters [N, 1]."""

    features: Features
    macs: Features
    parameters: Features

    @staticmethod
    def count() -> "Table":
        specs = [to_spec(architecture) for architecture in networks()]
        counts = [complexity(spec) for spec in specs]
        macs = np.array([[c.num_macs] for c in counts], np.float64)
        parameters = np.array([[c.num_parameters] for c in counts], np.float64)
        return Table(feature_table(specs), macs, parameters)


def power_law(x: Features, y: Times) -> Predict:
    """A straight line between the logarithms of one count [N, 1] and the time."""
    line = np.polynomial.Polynomial.fit(np.log(x[:, 0]), np.log(y), 1)
    return lambda unseen: np.exp(line(np.log(unseen[:, 0])))


def drawn_line(known: Times, measured: Times) -> Predict:
    """Of logarithms, from the other device's times: by least squares, its slope drawn to 1 (penalty 1)."""
    logs, rest = np.log(known), np.log(measured / known)
    centred = logs - logs.mean()
    slope = centred @ (rest - rest.mean()) / (centred @ centred + 1)
    return lambda unseen: unseen * np.exp(rest.mean() + slope * (np.log(unseen) - logs.mean()))


def draws() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Numbers of the networks to evaluate by, and of the others, whose first are fitted."""
    total = len(networks())
    for seed in range(NUM_DRAWS):
        order = np.random.default_rng(seed).permutation(total)
        yield order[:NUM_EVALUATED], order[NUM_EVALUATED:]


def learning_curve(table: Table, latency_ms: Times) -> dict[str, list[dict[str, Any]]]:
    """For each predictor an entry for each of `NUM_FITTED`."""
    candidates: dict[str, tuple[Fit, Features]] = {
        **{name: (candidate.fit, table.features) for name, candidate in REGRESSORS.items()},
        CHOSEN: (LatencyPredictor.fit, table.features),
        "MACs alone": (power_law, table.macs),
        "parameters alone": (power_law, table.parameters),
    }
    return {
        name: [_evaluated(fit, x, latency_ms, count) for count in NUM_FITTED]
        for name, (fit, x) in candidates.items()
    }


def _evaluated(fit: Fit, x: Features, latency_ms: Times, count: int) -> dict[str, Any]:
    errors, predictors, seconds = [], [], []
    for evaluated, others in draws():
        fitted = others[:count]
        started = time.process_time()
        predictors.append(fit(x[fitted], latency_ms[fitted]))
        seconds.append(time.process_time() - started)
        fitted_one = predictors[-1]
        predict = fitted_one.predict if isinstance(fitted_one, LatencyPredictor) else fitted_one
        errors.append(held_out_error(predict(x[evaluated]), latency_ms[evaluated]))
    result = {"fitted": count, **_means(errors), "fit_cpu_seconds": float(np.median(seconds))}
    chosen = [predictor for predictor in predictors if isinstance(predictor, LatencyPredictor)]
    if chosen:
        # What the predictor says of itself, from those that it was fitted to.
        result["own_mape"] = float(np.mean([predictor.error.mape for predictor in chosen]))
        names = [predictor.name for predictor in chosen]
        result["times_chosen"] = {name: names.count(name) for name in REGRESSORS}
    return result


def transfers(table: Table, from_ms: Times, to_ms: Times) -> list[dict[str, Any]]:
    """For each of `NUM_MOVED` the errors on the other device of four ways to use as many measurements."""
    x, results = table.features, []
    for count in NUM_MOVED:
        names = ("transfer", "one factor", "line", "from nothing")
        errors: dict[str, list[HeldOutError]] = {name: [] for name in names}
        own: list[float] = []
        for evaluated, others in draws():
            # None of the 200 is known to the predictor that is moved; those that are measured may be.
            base = LatencyPredictor.fit(x[others], from_ms[others])
            some = np.random.default_rng(len(own)).permutation(others)[:count]
            moved = LatencyPredictor.transfer(base, x[some], to_ms[some])
            own.append(moved.error.mape)
            factor = np.exp(np.mean(np.log(to_ms[some] / base.predict(x[some]))))
            predicted = {
                "transfer": moved.predict(x[evaluated]),
                "one factor": factor * base.predict(x[evaluated]),
            }
            predicted["line"] = drawn_line(base.predict(x[some]), to_ms[some])(base.predict(x[evaluated]))
            if count >= MIN_NETWORKS:
                predicted["from nothing"] = LatencyPredictor.fit(x[some], to_ms[some]).predict(x[evaluated])
            for name, values in predicted.items():
                errors[name].append(held_out_error(values, to_ms[evaluated]))
        means = {name: _means(found) for name, found in errors.items() if found}
        results.append({"measured": count, **means, "own_mape": float(np.mean(own))})
    return results


def _means(errors: list[HeldOutError]) -> dict[str, Any]:
    """Means over draws, and the worst draw's error."""
    mapes = [error.mape for error in errors]
    spearman = float(np.mean([error.spearman for error in errors]))
    return {"spearman": spearman, "mape": float(np.mean(mapes)), "largest_mape": max(mapes)}


def prediction_cpu_seconds(table: Table, latency_ms: Times) -> dict[str, float]:
    """What each regressor, fitted to 100 networks, takes for `NUM_PREDICTED`: the least of three."""
    known = table.features[: max(NUM_FITTED)]
    many = np.resize(table.features, (NUM_PREDICTED, table.features.shape[1]))
    seconds = {}
    for name, candidate in REGRESSORS.items():
        predict = candidate.fit(known, latency_ms[: len(known)])
        seconds[name] = min(_cpu_seconds(predict, many) for _ in range(3))
    return seconds


def _cpu_seconds(predict: Predict, features: Features) -> float:
    started = time.process_time()
    predict(features)
    return time.process_time() - started


def device_result(table: Table, measured: Measured) -> dict[str, Any]:
    """Everything about one device alone."""
    return {
        "latency_ms": np.quantile(measured.latency_ms, [0, 0.5, 1]),
        "mean_half_width": measured.half_width,
        "measured_again": measured.again,
        "learning_curve": learning_curve(table, measured.latency_ms),
    }


def was_busy(session: dict[str, Any]) -> bool:
    """Whether more processes than there are cores wanted one, before and after measuring."""
    return min(session["load_average"]) > session["environment"]["cores"]


def benchmark(config: Config) -> dict[str, Any]:
    """Measure, evaluate, print and write the figure."""
    measured, table = measure(), Table.count()
    devices = {name: device_result(table, found) for name, found in measured.items()}
    first, second = measured
    pairs = ((first, second), (second, first))
    sessions = {name: read_json(FOLDER / f"{name}.json") for name in measured}
    result = {
        "resolution": RESOLUTION,
        "networks": len(networks()),
        "evaluated_by": NUM_EVALUATED,
        "draws": NUM_DRAWS,
        "measured_with": sessions,
        # Others had every core as well; the timings are the thread's processor time.
        "machine_was_busy": {name: was_busy(session) for name, session in sessions.items()},
        "devices": devices,
        "transfer": {
            f"{a} to {b}": transfers(table, measured[a].latency_ms, measured[b].latency_ms) for a, b in pairs
        },
        "cpu_seconds_for_10000": prediction_cpu_seconds(table, measured[first].latency_ms),
    }
    _print(result)
    save_plot(config.name, learning_and_transfer(result))
    return result


def _print(result: dict[str, Any]) -> None:
    """Spearman and mean error, a line for each predictor."""
    for device, found in result["devices"].items():
        print(f"{device}: measured again {found['measured_again']}")
        for name, curve in found["learning_curve"].items():
            print(f"  {name:18s}", *(f"{_text(entry)} ({entry['fitted']})" for entry in curve), sep="  ")
        for entry in found["learning_curve"][CHOSEN]:
            print(f"  from {entry['fitted']}: own error {entry['own_mape']:.2%}, {entry['times_chosen']}")
    for direction, rows in result["transfer"].items():
        for row in rows:
            texts = [f"{name} {_text(value)}" for name, value in row.items() if isinstance(value, dict)]
            print(f"{direction}, {row['measured']}:", *texts, f"own {row['own_mape']:.2%}", sep="  ")
    print("seconds for 10,000 predictions:", result["cpu_seconds_for_10000"])


def _text(error: dict[str, Any]) -> str:
    return f"{error['spearman']:.3f} {error['mape']:6.2%}"


if __name__ == "__main__":
    main(benchmark, Config)
