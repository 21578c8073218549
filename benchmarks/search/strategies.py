"""The searches that `benchmarks.search.on_supernet` compares: the loop, evolution without a model, and
chance.

Letters: N evaluations so far, B suggested, G genes, M objectives.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.evaluator import Evaluator
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.ux import UniformCrossover
from pymoo.problems.static import StaticProblem

from hytnas_jax.mobo import Observations, Problem, Settings, suggest
from hytnas_jax.mobo.nsga2 import CROSSOVER_PROBABILITY, mutated
from hytnas_jax.mobo.problem import unseen
from hytnas_jax.search import loop
from supernet.row_keys import row_keys

# Generations that NSGA-II may breed until one batch is full of networks that nobody has evaluated.
MAX_GENERATIONS_A_BATCH = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Suggestion:
    """Genes [B, G] to evaluate next; the seconds that the suggestion took, by phase ("fit", "solve",
    "select")."""

    genes: np.ndarray
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)


# What has been evaluated -> what to evaluate next; called once for each batch, in their order.
Propose = Callable[[Observations], Suggestion]
# (problem, batch, seed) -> a search at its beginning
Start = Callable[[Problem, int, int], Propose]


def bayesian(problem: Problem, batch: int, seed: int, *, settings: Settings) -> Propose:
    """The loop as `hytnas_jax.search` runs it with that seed: the same batches."""
    numbers = itertools.count(1)

    def propose(observations: Observations) -> Suggestion:
        rng = np.random.default_rng([seed, next(numbers)])
        genes, info = suggest(problem, observations, batch=batch, settings=settings, rng=rng)
        return Suggestion(genes, info.seconds)

    return propose


def at_random(problem: Problem, batch: int, seed: int) -> Propose:
    """The random baseline of `hytnas_jax.search`: the same batches."""
    strategy = loop.at_random(problem, batch=batch)
    numbers = itertools.count(1)

    def propose(observations: Observations) -> Suggestion:
        rng = np.random.default_rng([seed, next(numbers), *strategy.stream])
        return Suggestion(strategy.suggest(observations, rng).genes)

    return propose


class Nsga2:
    """A `Propose`: NSGA-II (Deb et al. 2002, by pymoo) on the evaluations themselves.

    The initial design is the first population, whose size stays; each call tells it the last batch and breeds
    the next, so that it learns as often as the loop does. Crossover and mutation are those by which the loop
    maximises its acquisitions. A child that is not within the limits is dropped; one that has been evaluated
    costs nothing and is bred anew.
    """

    def __init__(self, problem: Problem, batch: int, seed: int) -> None:
        self._problem = problem
        self._batch = batch
        self._seed = seed
        self._algorithm: NSGA2 | None = None
        self._told = 0

    def __call__(self, observations: Observations) -> Suggestion:
        """The next batch; fewer where too few new ones were bred."""
        if self._algorithm is None:
            self._algorithm = self._start(len(observations.genes))
        self._tell(self._algorithm, observations)
        evaluated = row_keys(observations.genes)
        genes = observations.genes[:0]
        for _ in range(MAX_GENERATIONS_A_BATCH):
            children = self._problem.canonical(np.asarray(self._algorithm.ask().get("X"), np.int64))
            children = children[self._problem.feasible(children)]
            new = unseen(children, [*evaluated, *row_keys(genes)])
            genes = np.concatenate([genes, children[new]])
            if len(genes) >= self._batch:
                break
        return Suggestion(genes[: self._batch])

    def _start(self, population: int) -> NSGA2:
        algorithm = NSGA2(
            pop_size=population,
            n_offsprings=self._batch,
            crossover=UniformCrossover(prob=CROSSOVER_PROBABILITY),
            mutation=GeneMutation(self._problem.cardinalities),
        )
        problem = PymooProblem(
            n_var=len(self._problem.cardinalities),
            n_obj=len(self._problem.objectives),
            xl=0,
            xu=self._problem.cardinalities - 1,
            vtype=int,
        )
        algorithm.setup(problem, termination=NoTermination(), seed=self._seed)
        return algorithm

    def _tell(self, algorithm: NSGA2, observations: Observations) -> None:
        """What has succeeded since it was last told."""
        new = np.flatnonzero(observations.succeeded[self._told :]) + self._told
        if len(new):
            individuals = Population.new(X=observations.genes[new])
            values = self._problem.minimised(observations.values[new])
            Evaluator().eval(StaticProblem(algorithm.problem, F=values), individuals)
            algorithm.tell(infills=individuals)
        self._told = len(observations.genes)


class GeneMutation(Mutation):
    """The mutation of the loop's NSGA-II, as pymoo asks for it."""

    def __init__(self, cardinalities: np.ndarray) -> None:
        super().__init__()
        self._cardinalities = cardinalities

    def _do(
        self, problem: PymooProblem, X: np.ndarray, *args: Any, random_state: Any = None, **kwargs: Any
    ) -> np.ndarray:
        return mutated(X, self._cardinalities, random_state)


SETTINGS = {
    "default": Settings(),
    # that of HyT-NAS (arXiv 2303.04440)
    "original": Settings(surrogate="xgboost", acquisition="ucb", selection="hvi"),
}
STRATEGIES: dict[str, Start] = {
    **{name: partial(bayesian, settings=settings) for name, settings in SETTINGS.items()},
    "nsga2": Nsga2,
    "random": at_random,
}
