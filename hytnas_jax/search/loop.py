"""The loop of a search over its log: a kill costs the batch that was under way, and changes no result.

Everything is drawn from seeds that name its place: the initial design from [seed, 0], batch k from
[seed, k] and the evaluations before the batch. A search that goes on draws a batch that was cut once
more and evaluates the rest of it. Letters: B batch, G genes, M objectives.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping

import numpy as np

from hytnas_jax import console
from hytnas_jax.mobo import Observations, Problem, Settings, hypervolume, initial_design, suggest
from hytnas_jax.mobo.design import draw_unseen
from hytnas_jax.mobo.loop import REFERENCE_MARGIN
from hytnas_jax.mobo.problem import unseen
from hytnas_jax.numbers import counted
from hytnas_jax.runtime import compiling
from hytnas_jax.search.log import Evaluation, EvaluationLog
from hytnas_jax.search.problem import SearchProblem
from supernet.errors import UserError
from supernet.row_keys import row_keys


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """A batch to evaluate next: genes [B, G], and what is expected of it (NaN: nothing), each [B, M]."""

    genes: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def at(self, indices: np.ndarray) -> "Suggestion":
        """Some of its networks."""
        return Suggestion(self.genes[indices], self.mean[indices], self.std[indices])


Suggest = Callable[[Observations, np.random.Generator], Suggestion]


@dataclasses.dataclass(frozen=True)
class SearchStrategy:
    """A way to search: its name in the log and on the screen, and how it suggests a batch.

    stream: what the seeds of its batches have beside seed and number, to tell it from others.
    """

    phase: str
    label: str
    suggest: Suggest
    stream: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class EvaluationBudget:
    """How much is evaluated: `evaluations` in all, the first `initial` of them at random, then whole batches
    of `batch` (the last one may be cut short); all from `seed`."""

    evaluations: int
    initial: int
    batch: int
    seed: int


def bayesian(problem: Problem, *, batch: int, settings: Settings) -> SearchStrategy:
    """The Bayesian loop of `mobo`."""

    def suggest_batch(observations: Observations, rng: np.random.Generator) -> Suggestion:
        genes, info = suggest(problem, observations, batch=batch, settings=settings, rng=rng)
        for text in info.fallbacks:
            console.warn(f"after {counted(len(observations.genes), 'evaluation')}, {text}")
        return Suggestion(genes, info.mean, info.std)

    return SearchStrategy("model", "searching", suggest_batch)


def at_random(problem: Problem, *, batch: int) -> SearchStrategy:
    """Random search: networks that it has not evaluated yet, drawn like the initial ones."""

    def suggest_batch(observations: Observations, rng: np.random.Generator) -> Suggestion:
        return _unexpected(problem, draw_unseen(problem, observations.genes, batch, rng))

    return SearchStrategy("random", "random search", suggest_batch, stream=(1,))


def run_loop(
    search_problem: SearchProblem,
    log: EvaluationLog,
    strategy: SearchStrategy,
    budget: EvaluationBudget,
    *,
    first: np.ndarray,
    memory: Mapping[bytes, Evaluation],
    after_batch: Callable[[int, int], None] | None = None,
) -> None:
    """Evaluate the initial design and then batch after batch, until the budget is spent.

    Args:
      search_problem: what is searched.
      log: what earlier sessions have evaluated stands in it.
      strategy: suggests batches of the budget's size.
      budget: when to end; a space that is exhausted ends the search earlier.
      first: the initial design, int [I, G], of `initial_genes`.
      memory: evaluations of another log, taken from there instead of made again.
      after_batch: called with the rows of the log, from and up to, that the initial design is and then each
        batch, one after the other and before the next is suggested; those of earlier sessions too.

    Raises:
      UserError: nothing is within the limits, or no evaluation of the initial design has succeeded.
    """
    with console.progress(budget.evaluations, strategy.label, done=len(log), apart=compiling.seconds) as bar:

        def evaluate(suggestion: Suggestion, phase: str, *, until: int) -> None:
            """Evaluate what is not in the log, batch after batch, until that has `until` rows."""
            new = unseen(suggestion.genes, row_keys(log.genes))[: max(until - len(log), 0)]
            for start in range(0, len(new), budget.batch):
                part = suggestion.at(new[start : start + budget.batch])
                for evaluation in _evaluate(search_problem, part, phase, memory):
                    log.append(evaluation)
                    bar.advance()
                bar.note(_progress_note(search_problem.problem, log))

        def end_batch(start: int, stop: int) -> None:
            if after_batch is not None:
                after_batch(start, min(stop, len(log)))

        evaluate(_unexpected(search_problem.problem, first), "initial", until=len(first))
        _refuse_failure(log)
        end_batch(0, len(first))
        for number in itertools.count(1):
            start = len(first) + (number - 1) * budget.batch
            stop = min(start + budget.batch, budget.evaluations)
            if start >= budget.evaluations:
                return
            if len(log) < stop:
                rng = np.random.default_rng([budget.seed, number, *strategy.stream])
                suggestion = strategy.suggest(log.observations(start), rng)
                if len(suggestion.genes) == 0:
                    console.say(f"no more networks within the limits than these {len(log)} were found")
                    return
                evaluate(suggestion, strategy.phase, until=stop)
            end_batch(start, stop)


def reference_point(problem: Problem, log: EvaluationLog) -> np.ndarray:
    """The hypervolume's corner, float64 [M] in the user's units: a little worse than the initial values.

    It is fixed with the initial evaluations, of which one has succeeded; a search and its random baseline
    share them, so that their hypervolumes can be compared.
    """
    values = problem.minimised(log.values[log.phases == "initial"])
    values = values[np.isfinite(values).all(axis=1)]
    span = np.ptp(values, axis=0)
    span = np.where(span > 0.0, span, np.maximum(np.abs(values[0]), 1.0))
    return problem.in_user_units(values.max(axis=0) + REFERENCE_MARGIN * span)


def initial_genes(search_problem: SearchProblem, budget: EvaluationBudget) -> np.ndarray:
    """The initial design: the space's corners within the limits, then networks that have been trained, then
    uniform ones, int64 [initial, G].

    Uniform networks alone leave the ends of the front out of sight: those of a space are rarely drawn, and
    hypervolume is only gained up to a little beyond what the initial design has seen. Of the trained ones
    the error is known best; where there are too many, they are taken evenly over their costs.
    """
    uniform = initial_design(search_problem.problem, budget.initial, np.random.default_rng([budget.seed, 0]))
    corners = search_problem.space.corners()
    corners = corners[search_problem.problem.feasible(corners)]
    trained = search_problem.trained[search_problem.problem.feasible(search_problem.trained)]
    wanted = min(len(trained), max(budget.initial - len(corners), 0))
    trained = trained[np.linspace(0, len(trained) - 1, wanted).round().astype(int)]
    genes = np.concatenate([corners, trained, uniform])
    return genes[unseen(genes, ())][: budget.initial]


def _unexpected(problem: Problem, genes: np.ndarray) -> Suggestion:
    nothing = np.full((len(genes), len(problem.objectives)), np.nan)
    return Suggestion(genes, nothing, nothing)


def _evaluate(
    search_problem: SearchProblem, batch: Suggestion, phase: str, memory: Mapping[bytes, Evaluation]
) -> list[Evaluation]:
    """A batch, what is not remembered of it in one call, whose seconds these share alike."""
    evaluations = {
        n: dataclasses.replace(memory[key], phase=phase, mean=batch.mean[n], std=batch.std[n])
        for n, key in enumerate(row_keys(batch.genes))
        if key in memory
    }
    new = [n for n in range(len(batch.genes)) if n not in evaluations]
    if new:
        started = time.perf_counter()
        found = search_problem.evaluate(batch.genes[new])
        seconds = (time.perf_counter() - started) / len(new)
        for n, values, unsure, loss in zip(new, *found, strict=True):
            evaluations[n] = Evaluation(
                batch.genes[n], values, unsure, phase, float(loss), batch.mean[n], batch.std[n], seconds
            )
    return [evaluations[n] for n in range(len(batch.genes))]


def _progress_note(problem: Problem, log: EvaluationLog) -> str:
    """The best value of the first objective, and the hypervolume."""
    values = problem.minimised(log.values)
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) == 0:
        return "none has succeeded yet"
    first = problem.objectives[0]
    best = problem.signs[0] * values[:, 0].min()
    if (log.phases == "initial").all():  # the corner may still move
        return f"best {first.name} {best:.4g}"
    volume = hypervolume(values, problem.minimised(reference_point(problem, log)))
    return f"best {first.name} {best:.4g} · hypervolume {volume:.4g}"


def _refuse_failure(log: EvaluationLog) -> None:
    if np.isnan(log.values).any(axis=1).all():
        raise UserError(
            f"all {len(log)} networks of the initial design gave values that are no numbers "
            f"(see {log.path}): the supernet's weights are of no use; train it again, with a smaller "
            "--learning-rate"
        )
