"""How well latency is predicted for networks that were not measured, by several predictors.

    python benchmarks/latency_predictor.py

Measures 192 networks of two spaces on this machine, one thread (about a minute); each
predictor is cross-validated on 64 and on all of them. Also: how well the same measurement repeats.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost
from common import save_result

from hytnas_jax.device.measure import Timing, time_models
from hytnas_jax.device.onnx_graph import build_onnx
from hytnas_jax.steps.measure_latency import draw_networks
from proxies.complexity import complexity
from proxies.latency import (
    Features,
    LatencyPredictor,
    Times,
    cross_validate,
    fit_prices,
    held_out_error,
)
from proxies.latency_features import feature_table
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space

NUM_NETWORKS = (64, 192)
REPEATED = 32
CASES = (
    ("hybrid-small", (12, 16), 1),
    ("hybrid", (48, 64), 3),
)

Predict = Callable[[Features], Times]


def prices_alone(x: Features, y: Times) -> Predict:
    prices = fit_prices(x, y)
    return lambda unseen: unseen @ prices


def prices_and_correction(x: Features, y: Times) -> Predict:
    return LatencyPredictor.fit(x, y)


def boosted_trees(x: Features, y: Times) -> Predict:
    """XGBoost on the logarithm of time, a usual setting."""
    settings = {"max_depth": 3, "learning_rate": 0.05, "subsample": 0.8, "nthread": 1}
    trees = xgboost.train(settings, xgboost.DMatrix(x, label=np.log(y)), 200)
    return lambda unseen: np.exp(trees.inplace_predict(unseen))


def power_law(x: Features, y: Times) -> Predict:
    """A straight line between the logarithms of one count and the time."""
    line = np.polynomial.Polynomial.fit(np.log(x[:, 0]), np.log(y), 1)
    return lambda unseen: np.exp(line(np.log(unseen[:, 0])))


def measure_case(space: SearchSpace, channels: int) -> dict[str, Any]:
    """Errors of all predictors on one space."""
    architectures = draw_networks(space, max(NUM_NETWORKS), 0)
    specs = [space.network_spec(a, num_classes=10, channels=channels) for a in architectures]
    started = time.perf_counter()
    timings = time_all(specs)
    seconds = time.perf_counter() - started
    latency_ms = np.array([t.latency_ms for t in timings])
    repeated = np.array([t.latency_ms for t in time_all(specs[:REPEATED])])
    counts = [complexity(spec) for spec in specs]
    features = feature_table(specs)
    predictors = {
        "prices + XGBoost correction (used)": (prices_and_correction, features),
        "prices (non-negative least squares)": (prices_alone, features),
        "XGBoost on the features": (boosted_trees, features),
        "XGBoost on the genes": (boosted_trees, np.array([a.genes for a in architectures], np.float64)),
        "MACs": (power_law, np.array([[c.num_macs] for c in counts], np.float64)),
        "parameters": (power_law, np.array([[c.num_parameters] for c in counts], np.float64)),
    }
    return {
        "latency_ms": [latency_ms.min(), float(np.median(latency_ms)), latency_ms.max()],
        "seconds_per_network": seconds / len(specs),
        "mean_half_width": float(np.mean([t.half_width for t in timings])),
        "measured_again": dataclasses.asdict(held_out_error(repeated, latency_ms[:REPEATED])),
        "held_out": {
            name: [
                dataclasses.asdict(held_out_error(cross_validate(fit, x[:n], latency_ms[:n]), latency_ms[:n]))
                for n in NUM_NETWORKS
            ]
            for name, (fit, x) in predictors.items()
        },
    }


def time_all(specs: list[NetworkSpec]) -> list[Timing]:
    """Timings in the order of the specifications."""
    found = dict(time_models(build_onnx(spec) for spec in specs))
    return [found[index] for index in range(len(specs))]


def main() -> None:
    results = {}
    for name, resolutions, channels in CASES:
        space = built_in_space(name).with_resolutions(resolutions)
        results[name] = result = measure_case(space, channels)
        print(f"{name} at {resolutions}: measured again {result['measured_again']}")
        for predictor, errors in result["held_out"].items():
            texts = [f"{e['spearman']:.3f} {e['mape']:6.1%} ({e['num_networks']})" for e in errors]
            print(f"  {predictor:40s}", *texts, sep="  ")
    save_result(
        "latency_predictor", {"command": "python benchmarks/latency_predictor.py", "results": results}
    )


if __name__ == "__main__":
    main()
