"""Batches chosen by hand-worked hypervolumes, fronts and deviations."""

import numpy as np
import pytest

from hytnas_jax.mobo.expected_hypervolume import expected_improvement
from hytnas_jax.mobo.pareto import pareto_mask
from hytnas_jax.mobo.selections import SELECTIONS, Candidates, hypervolume_improvement


def candidates(mean, std=None, scores=None, probability=None) -> Candidates:
    """Certain values within the limits where nothing else is said."""
    mean = np.array(mean, float)
    std = np.zeros_like(mean) if std is None else np.array(std, float)
    scores = mean if scores is None else np.array(scores, float)
    probability = np.ones(len(mean)) if probability is None else np.array(probability, float)
    quantiles = mean[:, :, None] + std[:, :, None] * np.array([-1.5, -0.5, 0.5, 1.5])
    return Candidates(quantiles, scores, probability)


def select(name, among, *, front=(), batch=1, seed=0):
    return SELECTIONS[name]()(
        among,
        front=np.array(front).reshape(-1, among.mean.shape[1]),
        reference=np.full(among.mean.shape[1], 1.0),
        batch=batch,
        rng=np.random.default_rng(seed),
    ).tolist()


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("count", [0, 1, 3, 10])
@pytest.mark.parametrize("num_objectives", [2, 3])
def test_contract(name, count, num_objectives):
    rng = np.random.default_rng(0)
    shape = (count, num_objectives)
    among = candidates(rng.random(shape), rng.random(shape), rng.random(shape), rng.random(count))
    front = rng.random((4, num_objectives))
    chosen = select(name, among, front=front, batch=5)
    assert len(chosen) == len(set(chosen)) == min(5, count)
    assert set(chosen) <= set(range(count))
    assert chosen == select(name, among, front=front, batch=5)


@pytest.mark.parametrize("name", SELECTIONS)
def test_equal_candidates_and_hopeless_ones_still_fill_the_batch(name):
    same = np.full((6, 2), 0.5)
    assert len(set(select(name, candidates(same), batch=4))) == 4
    assert len(set(select(name, candidates(same, same, probability=np.zeros(6)), batch=4))) == 4


@pytest.mark.parametrize("name", SELECTIONS)
def test_those_that_break_a_limit_come_last(name):
    # equal in everything else; only the last one may keep the limits
    among = candidates(np.full((5, 2), 0.5), np.full((5, 2), 0.1), probability=[0.0, 0.0, 0.0, 0.0, 0.9])
    assert select(name, among) == [4]


def test_a_pick_joins_the_front_so_the_next_one_lies_elsewhere():
    # alone: 0.45, 0.44, 0.27; with 0 on the front, 1 adds nothing and 2 adds 0.12
    among = candidates([[0.1, 0.5], [0.11, 0.51], [0.7, 0.1]])
    assert select("hvi", among, batch=2) == [0, 2]


def test_an_improvement_counts_as_much_as_it_is_likely_to_keep_the_limits():
    # 0.45 * 0.5 < 0.27
    among = candidates([[0.1, 0.5], [0.7, 0.1]], probability=[0.5, 1.0])
    assert select("hvi", among) == [1]


def test_where_nothing_is_expected_the_unsure_go_first():
    mean = [[0.6, 0.6], [0.6, 0.6], [0.6, 0.6]]
    hopeful = [[0.0, 0.0], [0.1, 0.0], [0.3, 0.0]]
    assert select("hvi", candidates(mean, hopeful), front=[[0.5, 0.5]]) == [2]
    hopeless = [[0.001, 0.0], [0.003, 0.0], [0.002, 0.0]]
    assert select("hvi", candidates(mean, hopeless), front=[[0.5, 0.5]], batch=3) == [1, 2, 0]


def test_random_choice_is_as_likely_as_the_limits_are_kept():
    among = candidates(np.zeros((3, 2)), probability=[1.0, 0.5, 0.5])
    picks = np.array([select("random", among, seed=seed)[0] for seed in range(2000)])
    # five standard errors
    np.testing.assert_allclose(np.bincount(picks) / 2000, [0.5, 0.25, 0.25], atol=0.056)


def test_dominance_by_hand():
    # 0, 2 and 4 are the first front, 1 and 3 the second, 5 the third
    scores = [[0.0, 1.0], [0.2, 1.2], [0.5, 0.4], [0.6, 0.6], [1.0, 0.0], [0.9, 0.9]]
    among = candidates(np.zeros((6, 2)), scores=scores)
    assert set(select("dominance", among, batch=3)) == {0, 2, 4}
    assert set(select("dominance", among, batch=5)) == {0, 1, 2, 3, 4}
    assert select("dominance", among, batch=6)[-1] == 5


def test_dominance_spreads_along_a_front_that_the_batch_cuts():
    # two pairs of neighbours between the ends; one of each pair goes
    first = np.array([0.0, 0.30, 0.32, 0.65, 0.68, 1.0])
    chosen = select("dominance", candidates(np.stack([first, 1.0 - first], axis=1)), batch=4)
    assert {0, 5} < set(chosen)
    assert len({1, 2} & set(chosen)) == len({3, 4} & set(chosen)) == 1


def test_uncertainty_by_hand():
    # sums 0.5, 0.6, 0.2; times the probability 0.5, 0.3, 0.2
    std = [[0.5, 0.0], [0.3, 0.3], [0.0, 0.2]]
    assert select("uncertainty", candidates(np.zeros((3, 2)), std), batch=2) == [1, 0]
    likely = candidates(np.zeros((3, 2)), std, probability=[1.0, 0.5, 1.0])
    assert select("uncertainty", likely, batch=3) == [0, 1, 2]


@pytest.mark.parametrize("num_objectives", [2, 3, 4])
def test_picks_are_those_of_computing_every_gain_anew(num_objectives, monkeypatch):
    rng = np.random.default_rng(num_objectives)
    among = candidates(
        rng.random((150, num_objectives)),
        0.1 * rng.random((150, num_objectives)),
        probability=rng.random(150),
    )
    front = rng.random((20, num_objectives))
    front = front[pareto_mask(front)]
    left, expected, known = list(range(150)), [], front
    for _ in range(12):
        gains = expected_improvement(among.quantiles[left], known, np.ones(num_objectives))
        expected.append(left.pop(int(np.argmax(gains * among.probability[left]))))
        known = np.concatenate([known, among.mean[expected[-1:]]])
    computed = []

    def counted(quantiles, *region, inner=hypervolume_improvement.expected_gain):
        computed.append(len(quantiles))
        return inner(quantiles, *region)

    monkeypatch.setattr(hypervolume_improvement, "expected_gain", counted)
    assert select("hvi", among, front=front, batch=12) == expected
    assert sum(computed) < 12 * 150 / 2


@pytest.mark.parametrize(("num_objectives", "most"), [(2, 2_048), (3, 512), (4, 128)])
def test_a_front_is_cut_into_a_bounded_number_of_boxes(num_objectives, most, monkeypatch):
    points = np.random.default_rng(0).random((5_000, num_objectives))
    front = 1.0 - points / np.linalg.norm(points, axis=1, keepdims=True)
    sizes = []

    def counted(front, reference):
        sizes.append(len(front))
        return np.zeros((1, num_objectives)), np.ones((1, num_objectives))

    monkeypatch.setattr(hypervolume_improvement, "boxes", counted)
    select("hvi", candidates(points[:10]), front=front, batch=3)
    assert sizes == [most, most + 1, most + 2]
