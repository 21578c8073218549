"""The optimizer's promises: what `suggest` promises, and that its observations are all of its state."""

import dataclasses

import numpy as np
import pytest

from hytnas_jax.mobo import Bound, Limit, Objective, Optimizer, Settings, suggest
from hytnas_jax.mobo.pareto import pareto_mask
from hytnas_jax.mobo.selections import SELECTIONS, HypervolumeImprovement
from supernet.errors import UserError
from supernet.row_keys import row_keys

from .problems import CARDINALITIES, cost, evaluate, switched, two_objectives

SMALL = Settings(population=20, generations=4)


def optimizer(problem=None, **others) -> Optimizer:
    return Optimizer(problem or two_objectives(), **{"seed": 3, "initial": 8, "settings": SMALL, **others})


def searched(rounds: int, **others) -> Optimizer:
    search = optimizer(**others)
    for _ in range(rounds):
        genes = search.ask(4)
        search.tell(genes, evaluate(genes))
    return search


def test_asking_changes_nothing_and_telling_does() -> None:
    search = searched(3)
    genes = search.ask(4)
    assert genes.shape == (4, len(CARDINALITIES))
    assert np.array_equal(search.ask(4), genes)
    search.tell(genes, evaluate(genes))
    assert not set(row_keys(search.ask(4))) & set(row_keys(search.observations.genes))
    assert len(set(row_keys(search.observations.genes))) == 16


def test_after_the_initial_ones_it_is_suggest() -> None:
    search = searched(2)
    expected, _ = suggest(
        search.problem, search.observations, batch=4, settings=SMALL, rng=np.random.default_rng([3, 8])
    )
    assert np.array_equal(search.ask(4), expected)


@pytest.mark.parametrize("rounds", [1, 3])
def test_another_one_goes_on_from_the_observations(rounds: int) -> None:
    search = searched(rounds)
    again = optimizer(observations=search.observations)
    assert np.array_equal(again.ask(4), search.ask(4))
    assert not np.array_equal(optimizer(observations=search.observations, seed=4).ask(4), search.ask(4))


def delayed(answers: list[int], rounds: int = 7) -> tuple[Optimizer, list[np.ndarray]]:
    """Three workers; in each round the one whose turn it is tells what it was given, and asks again."""
    search = optimizer()
    held = {worker: np.zeros((0, len(CARDINALITIES)), int) for worker in range(3)}
    asked = []
    for worker in [0, 1, 2, *(answers * rounds)[:rounds]]:
        if len(held[worker]):
            search.tell(held[worker], evaluate(held[worker]))
        others = np.concatenate([genes for other, genes in held.items() if other != worker])
        held[worker] = search.ask(4, pending=others)
        asked.append(held[worker])
    return search, asked


@pytest.mark.parametrize("answers", [[0, 1, 2], [2, 0, 1], [1, 1, 1, 0, 2]])
def test_workers_that_tell_late_are_given_no_architecture_twice(answers: list[int]) -> None:
    search, asked = delayed(answers)
    keys = row_keys(np.concatenate(asked))
    assert len(keys) == len(set(keys)) == 40
    assert len(search.observations.genes) == 28
    _, same = delayed(answers)
    assert np.array_equal(np.concatenate(same), np.concatenate(asked))
    # another optimizer goes on from what was told and what is pending, whoever asked for it
    pending = np.concatenate(asked)[::-1]
    resumed = optimizer(observations=search.observations).ask(4, pending=pending)
    assert np.array_equal(resumed, search.ask(4, pending=pending))
    assert not set(row_keys(resumed)) & set(keys)


def test_before_the_models_late_answers_change_nothing() -> None:
    one, late = optimizer(initial=12), optimizer(initial=12)
    batches = []
    for _ in range(3):
        batches.append(one.ask(4))
        one.tell(batches[-1], evaluate(batches[-1]))
    pending = batches[0][:0]
    for batch in batches:
        assert np.array_equal(late.ask(4, pending=pending), batch)
        pending = np.concatenate([pending, batch])


def test_what_is_pending_joins_the_front_and_what_was_told_is_not_pending(monkeypatch) -> None:
    fronts = []

    class Recorded(HypervolumeImprovement):
        def __call__(self, candidates, *, front, **others):
            fronts.append(front)
            return super().__call__(candidates, front=front, **others)

    monkeypatch.setitem(SELECTIONS, "hvi", Recorded)
    search = searched(4)
    fronts.clear()
    first = search.ask(4)
    search.ask(4, pending=first)
    assert np.array_equal(fronts[1][:-4], fronts[0])
    cost_on_front, cost_pending = fronts[1][:, 1], cost(first)
    assert np.argsort(cost_on_front[-4:]).tolist() == np.argsort(cost_pending).tolist()
    for nothing in (first[:0], search.observations.genes):
        assert np.array_equal(search.ask(4, pending=nothing), first)


def test_the_front_is_that_of_what_was_told() -> None:
    search = searched(4)
    seen, front = search.observations, search.front()
    on_front = pareto_mask(search.problem.minimised(seen.values))
    assert set(row_keys(front.genes)) == set(row_keys(seen.genes[on_front]))
    assert (np.diff(front.values[:, 0]) <= 0).all()  # more quality is better
    assert np.array_equal(front.values, evaluate(front.genes))
    assert len(optimizer().front().genes) == 0


def test_the_front_is_within_limits_and_bounds() -> None:
    problem = switched(CARDINALITIES, two_objectives().objectives, [Limit("cost", 12.0, cost)])
    search = optimizer(problem)
    beyond = np.full((1, len(CARDINALITIES)), 3)
    search.tell(beyond, evaluate(beyond))
    assert len(search.front().genes) == 0
    assert (cost(search.ask(4)) <= 12).all()
    bounded = optimizer(dataclasses.replace(two_objectives(), bounds=(Bound("quality", 51.0),)))
    genes = bounded.ask(12)
    bounded.tell(genes, evaluate(genes))
    assert len(bounded.front().genes) > 0
    assert (bounded.front().values[:, 0] >= 51.0).all()


def test_a_failed_evaluation_is_not_asked_for_again() -> None:
    search = optimizer(initial=4)
    genes = search.ask(4)
    values = evaluate(genes)
    values[0, 0] = np.nan
    search.tell(genes, values)
    assert row_keys(genes[:1])[0] not in set(row_keys(search.ask(8)))
    assert row_keys(genes[:1])[0] not in set(row_keys(search.front().genes))


def test_an_exhausted_space_gives_what_is_left() -> None:
    def values(genes: np.ndarray) -> np.ndarray:
        return np.stack([genes[:, 0], -genes.sum(axis=1)], axis=1).astype(np.float64)

    problem = switched(np.array([2, 3]), (Objective("a", "min"), Objective("b", "min")))
    search = optimizer(problem, initial=2)
    for left in (4, 2, 0):  # of 2 * 3 codes, the three with a first gene of 0 are one network
        genes = search.ask(2)
        assert len(genes) == min(2, left)
        search.tell(genes, values(genes))


def test_how_unsure_values_are_is_kept() -> None:
    search = optimizer()
    genes = search.ask(3)
    search.tell(genes, evaluate(genes), np.full((3, 2), 0.5))
    more = search.ask(2)
    with pytest.raises(UserError, match="std: give it with every tell or with none"):
        search.tell(more, evaluate(more))
    search.tell(more, evaluate(more), np.full((2, 2), 0.25))
    assert search.observations.std is not None
    assert search.observations.std[:, 0].tolist() == [0.5] * 3 + [0.25] * 2


@pytest.mark.parametrize(
    ("genes", "values", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((2, 2)), r"genes of shape \(2, 3\): expected \[N, 8\]"),
        (np.zeros((2, 8)), np.zeros((2, 2)), "genes of float64: must be integers"),
        (np.zeros((2, 8), int), np.zeros(2), r"values of shape \(2,\): expected \[2, 2\]"),
        (np.full((1, 8), 4), np.zeros((1, 2)), r"genes\[0, 0\]=4: must be from 0 to 3"),
    ],
)
def test_what_does_not_fit_is_refused(genes: np.ndarray, values: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=message):
        optimizer().tell(genes, values)


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(UserError, match=r"pending\[0, 0\]=4: must be from 0 to 3"):
        optimizer().ask(4, pending=np.full((1, 8), 4))
    with pytest.raises(UserError, match="n=0: ask for at least 1"):
        optimizer().ask(0)
    with pytest.raises(UserError, match="initial=0: must be at least 1"):
        optimizer(initial=0)
    with pytest.raises(UserError, match=r"std of shape \(1, 2\): must be that of the values"):
        optimizer().tell(np.zeros((2, 8), int), np.zeros((2, 2)), np.zeros((1, 2)))
