"""NSGA-II (Deb et al. 2002) over integer genes, by pymoo."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.mutation import Mutation
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.repair import Repair
from pymoo.operators.crossover.ux import UniformCrossover
from pymoo.optimize import minimize

from hytnas_jax.mobo.problem import unseen

# genes [N, G] -> scores to minimise [N, K] and excesses over the limits [N, L] (<= 0 is kept)
Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True, eq=False)
class Visited:
    """Every different architecture that a run looked at: genes [V, G], scores [V, K], excess [V, L]."""

    genes: np.ndarray
    scores: np.ndarray
    excess: np.ndarray

    @property
    def feasible(self) -> np.ndarray:
        """bool [V]."""
        return np.all(self.excess <= 0.0, axis=1)


def nsga2(
    evaluate: Evaluate,
    start: np.ndarray,
    *,
    cardinalities: np.ndarray,
    canonical: Callable[[np.ndarray], np.ndarray],
    population: int,
    generations: int,
    seed: int,
) -> Visited:
    """Minimise all scores at once within the limits, from the population `start` [S, G], S >= 1.

    Uniform crossover; a mutation changes each gene with probability 1 / G. The limits are pymoo's
    constraints: of two architectures the one that breaks them less wins. The run ends early where
    no new architecture can be bred.
    """
    scores, excess = evaluate(start[:1])
    inner = _IntegerProblem(evaluate, cardinalities, scores.shape[1], excess.shape[1])
    algorithm = NSGA2(
        pop_size=population,
        sampling=start[unseen(start, ())],
        crossover=UniformCrossover(prob=0.9),
        mutation=GeneMutation(cardinalities),
        repair=_Canonical(canonical),
    )
    minimize(inner, algorithm, ("n_gen", generations), seed=seed, verbose=False)
    genes, scores, excess = (np.concatenate(parts) for parts in zip(*inner.visited, strict=True))
    first = unseen(genes, ())
    return Visited(genes[first], scores[first], excess[first])


class GeneMutation(Mutation):
    """Each gene changes with probability 1 / G: half the time a step of one, else to any other value.

    Steps suit ordered genes (widths, depths), resets suit those without an order (kinds of block).
    """

    def __init__(self, cardinalities: np.ndarray) -> None:
        super().__init__()
        self.cardinalities = cardinalities

    def _do(
        self, problem: PymooProblem, X: np.ndarray, *args: Any, random_state: Any = None, **kwargs: Any
    ) -> np.ndarray:
        changes = random_state.random(X.shape) < 1.0 / X.shape[1]
        up = np.where(random_state.random(X.shape) < 0.5, 1, -1)
        stepped = np.clip(X + up, 0, self.cardinalities - 1)
        shift = 1 + np.floor(random_state.random(X.shape) * (self.cardinalities - 1)).astype(int)
        reset = (X + shift) % self.cardinalities
        mutated = np.where(random_state.random(X.shape) < 0.5, stepped, reset)
        return np.where(changes & (self.cardinalities > 1), mutated, X)


class _Canonical(Repair):
    def __init__(self, canonical: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__(vtype=int)
        self.canonical = canonical

    def _do(self, problem: PymooProblem, X: np.ndarray, **kwargs: Any) -> np.ndarray:
        return self.canonical(X)


class _IntegerProblem(PymooProblem):
    """Hands pymoo's populations to `evaluate` and keeps all that was seen."""

    def __init__(
        self, evaluate: Evaluate, cardinalities: np.ndarray, num_scores: int, num_limits: int
    ) -> None:
        super().__init__(
            n_var=len(cardinalities),
            n_obj=num_scores,
            n_ieq_constr=num_limits,
            xl=0,
            xu=cardinalities - 1,
            vtype=int,
        )
        self.evaluate_genes = evaluate
        self.visited: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def _evaluate(self, x: np.ndarray, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        genes = np.asarray(x, np.int64)
        scores, excess = self.evaluate_genes(genes)
        self.visited.append((genes, scores, excess))
        out["F"], out["G"] = scores, excess
