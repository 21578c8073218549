"""The multi-objective Bayesian loop of HyT-NAS (arXiv 2303.04440), as ask and tell.

`suggest` looks at everything evaluated so far and suggests the architectures to evaluate next:

    fit a surrogate for each unknown objective on ALL evaluations, where there are thousands on some of
       them (see `points`); every other batch the objectives are bent towards normal distributions first:
       two views, neither of which is always right
    -> NSGA-II maximises the acquisitions of all objectives at once, within the limits (a space of
       few architectures is gone through instead)
    -> the selection picks a batch from the best of what was met and nobody has evaluated.

It keeps no state: the caller evaluates the batch, appends it to the observations and asks again. With
`rng = np.random.default_rng([seed, iteration])` a search that was cut goes on as if it had not been.
"""

import dataclasses
import time

import numpy as np

from hytnas_jax.mobo.acquisitions import ACQUISITIONS
from hytnas_jax.mobo.design import draw_feasible
from hytnas_jax.mobo.models import Models, fit_models
from hytnas_jax.mobo.nsga2 import Visited
from hytnas_jax.mobo.pareto import pareto_mask, pareto_rank
from hytnas_jax.mobo.points import representative
from hytnas_jax.mobo.problem import Observations, Problem, unseen
from hytnas_jax.mobo.selections import SELECTIONS, Candidates
from hytnas_jax.mobo.solver import solve
from hytnas_jax.mobo.surrogates import SURROGATES
from hytnas_jax.mobo.units import Units
from supernet.errors import UserError
from supernet.row_keys import row_keys

MAX_FILL_DRAWS = 10_000
# A hypervolume's corner lies this far beyond the worst of the values that fix it, in ranges of these.
REFERENCE_MARGIN = 0.1
# So many ranges observed away, it does not matter how far.
FURTHEST_SPANS = 1e30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How to search; the defaults are what `benchmarks/search/study.py` measures.

    Examples:
      >>> from hytnas_jax import Settings
      >>> Settings(surrogate="xgboost", acquisition="ei").selection
      'hvi'
    """

    surrogate: str = "gp"
    acquisition: str = "ucb"
    selection: str = "hvi"
    population: int = 100
    generations: int = 25

    def __post_init__(self) -> None:
        for field, registry in _REGISTRIES.items():
            name = getattr(self, field)
            if name not in registry:
                raise UserError(f"{field}={name!r}: choose one of {', '.join(registry)}")
        for field in ("population", "generations"):
            if getattr(self, field) < 2:
                raise UserError(f"{field}={getattr(self, field)}: must be at least 2")


_REGISTRIES: dict[str, dict] = {
    "surrogate": SURROGATES,
    "acquisition": ACQUISITIONS,
    "selection": SELECTIONS,
}


@dataclasses.dataclass(frozen=True, eq=False)
class SuggestInfo:
    """How a batch came about.

    mean, std: float64 [B, M], what was expected of each suggestion, in the user's units; a known
        objective's exact value has std 0; NaN where nothing had been evaluated to learn from.
    seconds: by phase: "fit", "solve", "select".
    tries: how many different architectures were scored.
    fallbacks: what did not go the usual way, for the log; most often empty.
    """

    mean: np.ndarray
    std: np.ndarray
    seconds: dict[str, float]
    tries: int
    fallbacks: tuple[str, ...]


def suggest(
    problem: Problem,
    observations: Observations,
    *,
    batch: int,
    settings: Settings,
    rng: np.random.Generator,
    pending: np.ndarray | None = None,
) -> tuple[np.ndarray, SuggestInfo]:
    """The next architectures to evaluate: canonical, within the limits, never evaluated before.

    Args:
        pending: canonical genes [P, G] that are being evaluated: none of them is suggested, and the expected
            hypervolume improvement is beyond what is expected of them.

    Returns:
        int [batch, G]: fewer where fewer are left, none where the space is exhausted; and how.

    Raises:
        UserError: batch < 1.

    Examples:
      >>> import numpy as np
      >>> from hytnas_jax import Objective, Observations, Problem, Settings, initial_design, suggest
      >>> cardinalities = np.array([4, 4, 4])
      >>> problem = Problem(
      ...     cardinalities=cardinalities,
      ...     objectives=(Objective("quality", "max"), Objective("cost", "min")),
      ...     limits=(),
      ...     canonical=lambda genes: genes,
      ...     features=lambda genes: genes.astype(float),
      ...     sample=lambda rng, n: rng.integers(0, cardinalities, (n, 3)),
      ... )
      >>> rng = np.random.default_rng(0)
      >>> genes = initial_design(problem, 8, rng)
      >>> seen = Observations(genes, np.stack([np.sqrt(genes).sum(axis=1), genes.sum(axis=1)], axis=1))
      >>> batch, info = suggest(problem, seen, batch=2, settings=Settings(), rng=rng)
      >>> batch.shape
      (2, 3)
    """
    if batch < 1:
        raise UserError(f"batch={batch}: must be at least 1")
    if pending is None:
        pending = observations.genes[:0]
    taken = {*row_keys(observations.genes), *row_keys(pending)}
    units = Units.of(problem, problem.minimised(observations.values[observations.succeeded]))
    problem, observations = units.of_problem(problem), units.of_observations(problem, observations)
    learnt = _learnt(problem, observations, pending)
    surrogate_seed = int(rng.integers(2**31))
    fallbacks, tries, seconds = [], 0, {"fit": 0.0, "solve": 0.0, "select": 0.0}
    genes = np.zeros((0, len(problem.cardinalities)), np.int64)
    models = None
    if len(learnt.genes) == 0:
        fallbacks.append("no evaluation has succeeded: the batch is random")
    else:
        started = time.perf_counter()
        rows = representative(learnt.values, learnt.front, SURROGATES[settings.surrogate].most_points)
        models = fit_models(
            problem,
            learnt.genes[rows],
            learnt.values[rows],
            std=None if learnt.std is None else learnt.std[rows],
            surrogate=settings.surrogate,
            seed=surrogate_seed,
            bent=learnt.evaluations // batch % 2 == 0,
        )
        seconds["fit"], started = _lap(started)
        visited = _solve(problem, models, learnt, settings, rng)
        candidates, scores = _candidates(problem, visited, taken, settings.population)
        tries = len(visited.genes)
        seconds["solve"], started = _lap(started)
        genes = candidates[_select(problem, models, learnt, candidates, scores, batch, settings, rng)]
        seconds["select"], _ = _lap(started)
    if len(genes) < batch:
        exclude = taken.union(row_keys(genes))
        extra, looked_at = draw_feasible(
            problem, batch - len(genes), rng=rng, max_draws=MAX_FILL_DRAWS, exclude=exclude
        )
        genes, tries = np.concatenate([genes, extra]), tries + len(looked_at)
        fallbacks.append(f"{len(extra)} of {len(genes)} at random: the solver met too few new ones")
    mean, std = map(units.restored, _expected(problem, models, genes))
    return genes, SuggestInfo(mean, std, seconds, tries, tuple(fallbacks))


@dataclasses.dataclass(frozen=True, eq=False)
class _Learnt:
    """What succeeded, minimised: genes [N, G], values and std [N, M], within [N] (the limits); and the genes
    [P, G] that are pending."""

    genes: np.ndarray
    values: np.ndarray
    std: np.ndarray | None
    within: np.ndarray
    evaluations: int
    pending: np.ndarray

    @property
    def comparable(self) -> np.ndarray:
        """values [N', M] within the limits; all of them where none is."""
        return self.values[self.within] if self.within.any() else self.values

    @property
    def front(self) -> np.ndarray:
        """bool [N]: on the Pareto front of those within the limits."""
        mask = self.within.copy()
        mask[mask] = pareto_mask(self.values[mask])
        return mask


def _learnt(problem: Problem, observations: Observations, pending: np.ndarray) -> _Learnt:
    kept = observations.succeeded
    genes, values = observations.genes[kept], problem.minimised(observations.values[kept])
    std = None if observations.std is None else observations.std[kept]
    within = problem.feasible(genes) & problem.within_bounds(values)
    return _Learnt(genes, values, std, within, len(observations.genes), pending)


def _solve(
    problem: Problem, models: Models, learnt: _Learnt, settings: Settings, rng: np.random.Generator
) -> Visited:
    """The acquisitions of all objectives, as good as they get within the limits."""
    scores = models.scores(
        ACQUISITIONS[settings.acquisition](),
        best=learnt.comparable.min(axis=0),
        evaluations=learnt.evaluations,
        rng=rng,
    )

    def evaluate(genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        excess = problem.excess(problem.limit_values(genes))
        if problem.bounds:
            excess = np.column_stack([excess, problem.bound_excess(models.quantiles(genes))])
        return scores(genes), excess

    return solve(
        problem,
        evaluate,
        learnt.genes[learnt.front],
        population=settings.population,
        generations=settings.generations,
        rng=rng,
    )


def _candidates(
    problem: Problem, visited: Visited, taken: set[bytes], enough: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best new architectures [C, G] within the limits and their scores [C, M]: whole fronts until
    there are enough. Where none may be within the bounds, those that come nearest, in this order."""
    num_limits = len(problem.limits)
    new = unseen(visited.genes, taken)
    new = new[np.all(visited.excess[new, :num_limits] <= 0.0, axis=1)]
    likely = new[visited.feasible[new]]
    if len(likely) == 0:
        missing = np.maximum(visited.excess[new, num_limits:], 0.0).sum(axis=1)
        kept = new[np.argsort(missing, kind="stable")][:enough]
    else:
        rank = pareto_rank(visited.scores[likely])
        kept = likely[rank <= np.sort(rank)[:enough][-1]]
    return visited.genes[kept], visited.scores[kept]


def _select(
    problem: Problem,
    models: Models,
    learnt: _Learnt,
    candidates: np.ndarray,
    scores: np.ndarray,
    batch: int,
    settings: Settings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Indices of the batch; each objective is scaled so that the observations span 0 to 1."""
    if len(candidates) == 0:
        return np.zeros(0, np.int64)
    low = learnt.comparable.min(axis=0)
    span = np.ptp(learnt.comparable, axis=0)
    span = np.where(span > 0.0, span, 1.0)
    front = learnt.values[learnt.front]
    if len(learnt.pending):
        front = np.concatenate([front, models.predict(learnt.pending)[0]])
    quantiles = models.quantiles(candidates)
    probability = problem.probability_within_bounds(quantiles)
    with np.errstate(over="ignore"):  # what is within the limits may be all but the same
        scaled = np.clip((quantiles - low[:, None]) / span[:, None], -FURTHEST_SPANS, FURTHEST_SPANS)
    return SELECTIONS[settings.selection]()(
        Candidates(scaled, scores, probability),
        front=(front - low) / span,
        reference=np.full(len(low), 1.0 + REFERENCE_MARGIN),
        batch=batch,
        rng=rng,
    )


def _expected(problem: Problem, models: Models | None, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation [B, M] in the user's units."""
    if models is None or len(genes) == 0:
        nothing = np.full((len(genes), len(problem.objectives)), np.nan)
        return nothing, nothing.copy()
    mean, std = models.predict(genes)
    return problem.in_user_units(mean), std


def _lap(started: float) -> tuple[float, float]:
    """Seconds since `started`, and now."""
    now = time.perf_counter()
    return now - started, now
