"""NSGA-II (Deb et al. 2002) over integer genes, on whole populations.

The operators and what they draw are those of pymoo 0.6.2 with uniform crossover, which keeps an object for
each individual and takes four times as long. Letters: N architectures, G genes, K scores, L limits.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function

from hytnas_jax.mobo.pareto import pareto_rank
from hytnas_jax.mobo.problem import unseen
from supernet.row_keys import row_keys

CROSSOVER_PROBABILITY = 0.9
# Couples that have only children who exist already are followed by others, so many times.
MAX_BREEDINGS = 100

# genes [N, G] -> scores to minimise [N, K] and excesses over the limits [N, L] (<= 0 is kept)
Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Canonical = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Visited:
    """Architectures that a run looked at: genes [N, G], scores [N, K], excess [N, L]."""

    genes: np.ndarray
    scores: np.ndarray
    excess: np.ndarray

    @property
    def feasible(self) -> np.ndarray:
        """bool [N]."""
        return np.all(self.excess <= 0.0, axis=1)

    @property
    def violation(self) -> np.ndarray:
        """float64 [N], 0 where all limits are kept."""
        return np.maximum(self.excess, 0.0).sum(axis=1)

    def take(self, indices: np.ndarray) -> "Visited":
        """Those at `indices`, in that order."""
        return Visited(self.genes[indices], self.scores[indices], self.excess[indices])


def nsga2(
    evaluate: Evaluate,
    start: np.ndarray,
    *,
    cardinalities: np.ndarray,
    canonical: Canonical,
    population: int,
    generations: int,
    seed: int,
) -> Visited:
    """Minimise all scores at once within the limits, from the population `start` [S, G], S >= 1.

    Of two architectures the one that breaks the limits less wins. The run ends early where no new
    architecture can be bred.

    Returns:
        every different architecture that the run looked at.
    """
    rng = np.random.default_rng(seed)

    def looked_at(genes: np.ndarray) -> Visited:
        return Visited(genes, *evaluate(genes))

    genes = canonical(start)
    generation = looked_at(genes[unseen(genes, ())])
    visited = [generation]
    parents, room = _survivors(generation, len(generation.genes), rng)
    for _ in range(generations - 1):
        children = _children(parents, room, population, cardinalities, canonical, rng)
        if len(children) == 0:
            break
        visited.append(looked_at(children))
        parents, room = _survivors(_joined([parents, visited[-1]]), population, rng)
    everything = _joined(visited)
    return everything.take(unseen(everything.genes, ()))


def _joined(parts: Sequence[Visited]) -> Visited:
    columns = [(part.genes, part.scores, part.excess) for part in parts]
    return Visited(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _survivors(candidates: Visited, most: int, rng: np.random.Generator) -> tuple[Visited, np.ndarray]:
    """The best fronts, the roomiest of the last one, then what breaks the limits least; and the crowding
    distance [N] of each (0 of those that break limits)."""
    feasible, violation = candidates.feasible, candidates.violation
    within, broken = np.flatnonzero(feasible), np.flatnonzero(~feasible)
    room = np.zeros(len(feasible))
    ranks = pareto_rank(candidates.scores[within])
    chosen = np.zeros(0, np.int64)
    for rank in range(len(within)):
        front = within[ranks == rank]
        left = most - len(chosen)
        if left <= 0 or len(front) == 0:
            break
        room[front] = get_crowding_function("cd").do(candidates.scores[front])
        if len(front) > left:
            shuffled = rng.permutation(front)
            front = shuffled[np.argsort(room[shuffled])[::-1]][:left]
        chosen = np.append(chosen, front)
    broken = broken[np.argsort(violation[broken])]
    chosen = np.append(chosen, broken)[:most]
    return candidates.take(chosen), room[chosen]


def _children(
    parents: Visited,
    room: np.ndarray,
    most: int,
    cardinalities: np.ndarray,
    canonical: Canonical,
    rng: np.random.Generator,
) -> np.ndarray:
    """Canonical genes [<= most, G], different from each other and from the parents."""
    children, known = parents.genes[:0], set(row_keys(parents.genes))
    for _ in range(MAX_BREEDINGS):
        couples = -(-(most - len(children)) // 2)
        bred = crossed(parents.genes[_winners(parents, room, couples, rng)], rng)
        bred = canonical(mutated(bred, cardinalities, rng))
        rng.random(len(bred))  # pymoo draws whether each child mutates; all do, and seeds keep their meaning
        new = bred[unseen(bred, known)][: most - len(children)]
        children = np.concatenate([children, new])
        known.update(row_keys(new))
        if len(children) == most:
            break
    return children


def _winners(parents: Visited, room: np.ndarray, couples: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of couples of parents, [couples, 2], each the better one of two: the one that breaks the
    limits less; where both keep them, by dominance and then by crowding; where that is equal, by chance."""
    count = len(parents.genes)
    rounds = [rng.permutation(count) for _ in range(-(-4 * couples // count))]
    pairs = np.concatenate(rounds)[: 4 * couples].reshape(-1, 2)
    first, second = pairs.T
    scores, violation = parents.scores, parents.violation
    better = np.any(scores[first] < scores[second], axis=1)
    worse = np.any(scores[first] > scores[second], axis=1)
    by_scores = np.where(better == worse, _compared(room[first], room[second]), np.where(better, 1, -1))
    both_within = np.maximum(violation[first], violation[second]) == 0.0
    lead = np.where(both_within, by_scores, _compared(violation[second], violation[first]))
    tied = lead == 0
    lead[tied] = 1 - 2 * rng.integers(2, size=tied.sum())
    return np.where(lead > 0, first, second).reshape(-1, 2)


def _compared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 where a is larger, -1 where b is, else 0."""
    return 1 * (a > b) - 1 * (a < b)


def crossed(couples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Couples [C, 2, G] -> their children [2 C, G]: each gene of one parent, or copies of both."""
    count, _, num_genes = couples.shape
    crosses = rng.random((count, 1)) < CROSSOVER_PROBABILITY
    if crosses.any():
        swaps = crosses & (rng.random((count, num_genes)) < 0.5)
        couples = np.where(swaps[:, None], couples[:, ::-1], couples)
    return np.concatenate([couples[:, 0], couples[:, 1]])


def mutated(genes: np.ndarray, cardinalities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each gene of [N, G] changes with probability 1 / G.

    Half the time it takes a step of one, else any other value. Steps suit ordered genes
    (widths, depths), resets suit those without an order (kinds of block).
    """
    changes = rng.random(genes.shape) < 1.0 / genes.shape[1]
    up = np.where(rng.random(genes.shape) < 0.5, 1, -1)
    stepped = np.clip(genes + up, 0, cardinalities - 1)
    shift = 1 + np.floor(rng.random(genes.shape) * (cardinalities - 1)).astype(int)
    reset = (genes + shift) % cardinalities
    changed = np.where(rng.random(genes.shape) < 0.5, stepped, reset)
    return np.where(changes & (cardinalities > 1), changed, genes)
