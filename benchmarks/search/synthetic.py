"""How well the Bayesian loop searches, against random search and plain NSGA-II, on a synthetic space.

    python -m benchmarks.search.synthetic

The space has 25 genes (five stages of kind, width, expansion, depth and kernel; 6e12 codes). Accuracy
saturates in the stages' strengths, has interactions, and every evaluation of it has noise (0.3 points);
cost is a sum over the stages, either known or modelled too. A method gets 100 evaluations: 20 random,
then batches of 8. The score is the hypervolume of the NOISELESS values of what was evaluated, as a
share of the box accuracy 75..95, cost 0..6000. Takes about a minute and a half on one idle core.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import main, require_at_least
from hytnas_jax.mobo import (
    Objective,
    Observations,
    Problem,
    Settings,
    hypervolume_history,
    initial_design,
    suggest,
)
from hytnas_jax.mobo.nsga2 import nsga2

STAGES = 5
CHOICES = (2, 5, 3, 4, 3)  # kind of block (convolution, attention), width, expansion, depth, kernel
CARDINALITIES = np.tile(CHOICES, STAGES)
NOISE = 0.3
REFERENCE = np.array([75.0, 6000.0])
BOX = 20.0 * 6000.0
INITIAL, TOTAL, BATCH = 20, 100, 8


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare the Bayesian loop with random search and NSGA-II on a synthetic space."""

    seeds: int = 5
    """Searches of each method."""
    name: str = "mobo_synthetic"
    """Of the result's file."""


# seed -> the architectures evaluated, in order, int [<= TOTAL, 25]
Search = Callable[[int], np.ndarray]


def canonical(genes: np.ndarray) -> np.ndarray:
    """An attention block has no kernel size: that gene is 0."""
    stages = genes.reshape(len(genes), STAGES, len(CHOICES)).copy()
    stages[stages[:, :, 0] == 1, 4] = 0
    return stages.reshape(genes.shape)


def columns(genes: np.ndarray) -> np.ndarray:
    """kind, width, expansion, depth and kernel of canonical genes, each [N, STAGES]."""
    return np.moveaxis(canonical(genes).reshape(len(genes), STAGES, len(CHOICES)), 2, 0)


def channels(width: np.ndarray) -> np.ndarray:
    """Channels of each stage, in some unit."""
    return (1 + width) * 2.0 ** np.arange(STAGES) ** 0.8


def cost(genes: np.ndarray) -> np.ndarray:
    """Operations of genes [N, 25], in some unit, [N]."""
    kind, width, expansion, depth, kernel = columns(genes)
    c, pixels = channels(width), 0.3 ** np.arange(STAGES)
    convolution = (1 + expansion) * (2 * c**2 + c * (3 + 2 * kernel) ** 2)
    attention = 3 * c**2 * (1 + expansion) + 6 * c * (1 + 20 * pixels)
    return np.sum(np.where(kind == 1, attention, convolution) * (1 + depth) * pixels, axis=1)


def accuracy(genes: np.ndarray) -> np.ndarray:
    """Noiseless accuracy of genes [N, 25] in %, [N]: it saturates, attention suits late stages,
    and uneven widths and a weakest stage hurt."""
    kind, width, expansion, depth, kernel = columns(genes)
    late = np.arange(STAGES) >= 2
    quality = np.where(kind == 1, np.where(late, 1.3, 0.6), 1.0 + 0.1 * kernel)
    gain = (1.0 - 0.5 ** (1 + expansion)) * (1 + depth) ** 0.4
    strength = np.log2(1.0 + channels(width)) * gain * quality
    capacity = strength @ np.array([0.5, 0.8, 1.2, 1.3, 1.0])
    uneven = np.abs(np.diff(width, axis=1)).sum(axis=1)
    weakest = np.minimum(strength.min(axis=1), 2.5)
    return 95.0 - 45.0 * np.exp(-capacity / 9.0) - 0.25 * uneven + 0.5 * weakest


def features(genes: np.ndarray) -> np.ndarray:
    """The genes and the depth of attention, [N, 30]."""
    kind, width, expansion, depth, kernel = columns(genes)
    parts = [kind, width, expansion, depth, kernel, kind * (1 + depth)]
    return np.concatenate(parts, axis=1).astype(np.float64)


def make_problem(*, cost_known: bool) -> Problem:
    """Accuracy and cost, without limits."""
    return Problem(
        cardinalities=CARDINALITIES,
        objectives=(
            Objective("accuracy", "max", "%"),
            Objective("cost", "min", "", known=cost if cost_known else None),
        ),
        limits=(),
        canonical=canonical,
        features=features,
        sample=lambda rng, n: rng.integers(0, CARDINALITIES, size=(n, len(CARDINALITIES))),
    )


def evaluate(genes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a search gets to see, [N, 2]."""
    return np.stack([accuracy(genes) + NOISE * rng.standard_normal(len(genes)), cost(genes)], axis=1)


def score(genes: np.ndarray) -> np.ndarray:
    """The share of the box after each evaluation, [TOTAL]; the last holds where fewer were made."""
    values = np.stack([accuracy(genes), cost(genes)], axis=1)
    history = hypervolume_history(values, ("max", "min"), REFERENCE) / BOX
    return np.pad(history, (0, TOTAL - len(history)), mode="edge")


def random_search(problem: Problem, seed: int) -> np.ndarray:
    """The architectures evaluated, in order, [TOTAL, 25]."""
    return initial_design(problem, TOTAL, np.random.default_rng([seed, 0]))


def plain_nsga2(problem: Problem, seed: int) -> np.ndarray:
    """pymoo's NSGA-II on the evaluations themselves, five populations of twenty."""
    noise = np.random.default_rng([seed, TOTAL])
    return nsga2(
        lambda genes: (problem.minimised(evaluate(genes, noise)), np.zeros((len(genes), 0))),
        initial_design(problem, INITIAL, np.random.default_rng([seed, 0])),
        cardinalities=CARDINALITIES,
        canonical=canonical,
        population=INITIAL,
        generations=TOTAL // INITIAL,
        seed=seed,
    ).genes


def bayesian(problem: Problem, seed: int, settings: Settings) -> np.ndarray:
    """The loop, from the same first twenty."""
    noise = np.random.default_rng([seed, TOTAL])
    genes = initial_design(problem, INITIAL, np.random.default_rng([seed, 0]))
    observations = Observations(genes, evaluate(genes, noise))
    for iteration in range(1, 1 + (TOTAL - INITIAL) // BATCH):
        rng = np.random.default_rng([seed, iteration])
        genes, _ = suggest(problem, observations, batch=BATCH, settings=settings, rng=rng)
        observations = Observations(
            np.concatenate([observations.genes, genes]),
            np.concatenate([observations.values, evaluate(genes, noise)]),
        )
    return observations.genes


def measure(name: str, search: Search, seeds: int) -> dict[str, Any]:
    """Median, worst and best share after 40, 60 and 100 evaluations."""
    started = time.perf_counter()
    shares = np.stack([score(search(seed)) for seed in range(seeds)])
    seconds = (time.perf_counter() - started) / seeds
    at = {n: np.quantile(shares[:, n - 1], [0.5, 0.0, 1.0]).round(4) for n in (40, 60, 100)}
    row = {str(n): dict(zip(("median", "min", "max"), q, strict=True)) for n, q in at.items()}
    medians = "  ".join(f"{n}: {q[0]:.3f}" for n, q in at.items())
    print(f"  {name:16s} {medians}  (worst at 100: {at[100][1]:.3f})  {seconds:.1f} s a search")
    return {"seconds": round(seconds, 2), "evaluations": row}


def methods(problem: Problem, settings: Iterable[Settings]) -> dict[str, Search]:
    """Random search, NSGA-II and the loop with each of the settings."""
    searches: dict[str, Search] = {
        "random": partial(random_search, problem),
        "nsga2": partial(plain_nsga2, problem),
    }
    for choice in settings:
        name = f"{choice.surrogate} + {choice.acquisition}"
        searches[name] = partial(bayesian, problem, settings=choice)
    return searches


def _combinations() -> list[Settings]:
    pairs = itertools.product(("gp", "xgboost"), ("ucb", "ei"))
    return [Settings(surrogate=surrogate, acquisition=acquisition) for surrogate, acquisition in pairs]


def run_all(case: str, searches: dict[str, Search], seeds: int) -> dict[str, Any]:
    """`measure` for each method."""
    print(case)
    return {name: measure(name, search, seeds) for name, search in searches.items()}


def benchmark(config: Config) -> dict[str, Any]:
    """Measure and print."""
    require_at_least(config, {"seeds": 1})
    known, modelled = make_problem(cost_known=True), make_problem(cost_known=False)
    with threadpool_limits(1):
        results = {
            "cost known": run_all("cost known", methods(known, _combinations()), config.seeds),
            "cost modelled": run_all("cost modelled", methods(modelled, [Settings()]), config.seeds),
        }
    return {"results": results}


if __name__ == "__main__":
    main(benchmark, Config)
