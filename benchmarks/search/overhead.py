"""What the search itself costs: seconds and memory of suggesting a batch of 8, without any supernet.

    python -m benchmarks.search.overhead

The loop searches the space `hybrid` up to 300 evaluations, with two objectives (error, latency) and with
three (parameters too). From there to 5,000 no model is asked, to get there in seconds: four of five new
networks are mutations of those on the front, the others random ones. The error is made up: it falls with the
work that a network does, depends on every gene, and has noise. Latency and parameters are known, from a
latency predictor and from counting as in `hytnas_jax.search`, and remembered as there; what they take is in
"solve".

Each suggestion is made `--repeats` times: medians, and the least total, which other work on the machine
disturbs less; "processor" is the seconds that this program was computing, on all cores together.
"suggestion MB" is the most memory that Python and NumPy allocated during one more suggestion, which is not
timed; "program MB" is the most that the program held until then, libraries and all.
"""

import dataclasses
import os
import resource
import time
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, show
from benchmarks.search.strategies import SETTINGS
from hytnas_jax import console
from hytnas_jax.mobo import (
    Objective,
    Observations,
    Problem,
    Settings,
    initial_design,
    pareto_mask,
    suggest,
)
from hytnas_jax.mobo.nsga2 import mutated
from hytnas_jax.mobo.problem import unseen
from hytnas_jax.search.cached_estimator import CachedEstimator
from hytnas_jax.workspace.space_file import load_space
from proxies.base import Estimator
from proxies.complexity import num_macs, num_parameters
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyEstimator, LatencyPredictor
from supernet.architecture import Architecture
from supernet.encoding import to_features
from supernet.network_spec import NetworkSpec
from supernet.row_keys import row_keys
from supernet.search_space import SearchSpace

BATCH = 8
TIMED = (100, 300, 1_000, 2_000, 5_000)  # evaluations
INITIAL, GROWTH = 20, 40  # between those batches of 40 are evaluated, to get there sooner
MOST_SUGGESTED = 300  # larger numbers are reached without the loop
MUTATED = 32  # of a batch of 40
OBJECTIVES = {2: ("error", "latency_ms"), 3: ("error", "latency_ms", "parameters")}
NUM_MEASURED = 64
NOISE = 0.01


@dataclasses.dataclass(frozen=True)
class Config:
    """Time the search's suggestions."""

    repeats: int = 5
    """How often each suggestion is made."""
    name: str = "search_overhead"
    """Of the result's file."""


class MadeUp:
    """The space `hybrid` with an error and a latency that nobody measured."""

    def __init__(self) -> None:
        self.space: SearchSpace = load_space("hybrid")
        rng = np.random.default_rng(0)
        measured = self.space.decode_all(self.space.sample(rng, NUM_MEASURED))
        features = feature_table(self.to_spec(architecture) for architecture in measured)
        prices = rng.uniform(0.5, 1.5, features.shape[1]) / features.max(axis=0).clip(min=1.0)
        self.latency = LatencyEstimator(LatencyPredictor.fit(features, features @ prices), self.to_spec)
        self._macs = CachedEstimator(self.space, num_macs(self.to_spec))
        num_features = to_features(self.space, self.space.corners()).shape[1]
        self._weights = rng.standard_normal((num_features,))
        self.known: dict[str, Estimator] = {
            "latency_ms": self.latency,
            "parameters": num_parameters(self.to_spec),
        }

    def to_spec(self, architecture: Architecture) -> NetworkSpec:
        """Two classes, colour images."""
        return self.space.network_spec(architecture, num_classes=2, channels=3)

    def problem(self, objectives: Sequence[str]) -> Problem:
        """As `hytnas_jax.search.problem.make_search_problem` makes it, with nothing remembered yet."""
        functions = {name: CachedEstimator(self.space, self.known[name]) for name in objectives[1:]}
        return Problem(
            cardinalities=self.space.cardinalities,
            objectives=tuple(Objective(name, "min", known=functions.get(name)) for name in objectives),
            limits=(),
            canonical=self.space.canonical,
            features=lambda genes: to_features(self.space, genes),
            sample=self.space.sample,
        )

    def error(self, genes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Error rates [N] of genes [N, G]."""
        of_genes = to_features(self.space, genes) @ self._weights / np.sqrt(len(self._weights))
        noise = NOISE * rng.standard_normal(len(genes))
        return 0.9 - 0.08 * np.log10(self._macs(genes)) + 0.03 * np.sin(2.0 * of_genes) + noise


def measure(
    made_up: MadeUp, objectives: Sequence[str], settings: Settings, repeats: int
) -> list[dict[str, Any]]:
    """A row for each of `TIMED`."""
    problem, noise = made_up.problem(objectives), np.random.default_rng(1)

    def evaluate(genes: np.ndarray) -> np.ndarray:
        known = [o.known(genes) for o in problem.objectives if o.known is not None]
        return np.stack([made_up.error(genes, noise), *known], axis=1)

    genes = initial_design(problem, INITIAL, np.random.default_rng([0, 0]))
    observations = Observations(genes, evaluate(genes))
    rows = []
    while True:
        count = len(observations.genes)
        if count in TIMED:
            timings = [time_suggestion(problem, observations, settings, repeat) for repeat in range(repeats)]
            medians = {key: round(float(np.median([t[key] for t in timings])), 3) for key in timings[0]}
            least = round(min(t["total"] for t in timings), 3)
            memory = measure_memory(problem, observations, settings)
            rows.append({"evaluations": count, **medians, "least total": least, **memory})
        if count == max(TIMED):
            return rows
        rng = np.random.default_rng([0, count])
        if count < MOST_SUGGESTED:
            new, _ = suggest(problem, observations, batch=GROWTH, settings=settings, rng=rng)
        else:
            new = bred(problem, observations, rng)
        new = new[: min(timed for timed in TIMED if timed > count) - count]
        observations = Observations(
            np.concatenate([observations.genes, new]), np.concatenate([observations.values, evaluate(new)])
        )


def time_suggestion(
    problem: Problem, observations: Observations, settings: Settings, repeat: int
) -> dict[str, float]:
    """Seconds by phase, in total, and of the processor."""
    rng = np.random.default_rng([1, repeat])
    started, used = time.perf_counter(), time.process_time()
    _, info = suggest(problem, observations, batch=BATCH, settings=settings, rng=rng)
    total, processor = time.perf_counter() - started, time.process_time() - used
    return {**info.seconds, "total": total, "processor": processor}


def bred(problem: Problem, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """Up to `GROWTH` new genes: mutations of those on the front, and random ones."""
    front = observations.genes[pareto_mask(problem.minimised(observations.values))]
    mutations = mutated(front[rng.integers(len(front), size=MUTATED)], problem.cardinalities, rng)
    genes = problem.canonical(np.concatenate([mutations, problem.sample(rng, GROWTH - MUTATED)]))
    return genes[unseen(genes, row_keys(observations.genes))]


def measure_memory(problem: Problem, observations: Observations, settings: Settings) -> dict[str, int]:
    """Megabytes."""
    tracemalloc.start()
    suggest(problem, observations, batch=BATCH, settings=settings, rng=np.random.default_rng([1, 0]))
    allocated = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts kilobytes
    return {"suggestion MB": round(allocated / 1e6), "program MB": round(held / 1e6)}


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print."""
    require_at_least(config, {"repeats": 1})
    made_up, rows = MadeUp(), []
    for name, settings in SETTINGS.items():
        for count, objectives in OBJECTIVES.items():
            case = {"settings": name, "objectives": count}
            rows += [{**case, **row} for row in measure(made_up, objectives, settings, config.repeats)]
            console.say(str(rows[-1]))
    show(rows)
    return {"space": "hybrid", "batch": BATCH, "load_average": os.getloadavg()[0], "rows": rows}


if __name__ == "__main__":
    main(benchmark, Config)
