"""Batches chosen by hand-worked hypervolumes."""

import numpy as np
import pytest

from hytnas_jax.mobo.selections import SELECTIONS, Candidates
from hytnas_jax.mobo.selections.hypervolume_improvement import HypervolumeImprovement, improvements

REFERENCE = np.ones(2)


def candidates(mean, std, probability=None) -> Candidates:
    mean, std = np.array(mean), np.array(std)
    return Candidates(mean, std, mean - std, np.ones(len(mean)) if probability is None else probability)


def select(mean, std, front, batch):
    return HypervolumeImprovement()(
        candidates(mean, std),
        front=np.array(front).reshape(-1, 2),
        reference=REFERENCE,
        batch=batch,
        rng=np.random.default_rng(0),
    ).tolist()


def test_improvements_by_hand():
    front = np.array([[0.5, 0.5]])
    points = np.array([[0.0, 0.5], [0.25, 0.75], [0.75, 0.75], [2.0, 0.0]])
    expected = [0.25, 0.0625, 0.0, 0.0]
    np.testing.assert_allclose(improvements(points, front, REFERENCE), expected)
    np.testing.assert_allclose(improvements(points[:1], np.zeros((0, 2)), REFERENCE), [0.5])


def test_a_pick_joins_the_front_so_the_next_one_lies_elsewhere():
    # alone: .45, .44, .27; with 0 on the front, 1 adds nothing and 2 adds .12
    mean = [[0.1, 0.5], [0.11, 0.51], [0.7, 0.1]]
    assert select(mean, np.zeros((3, 2)), [], 2) == [0, 2]


def test_where_nothing_is_expected_the_unsure_go_first():
    mean = [[0.6, 0.6], [0.6, 0.6], [0.6, 0.6]]
    hopeful = [[0.0, 0.0], [0.1, 0.0], [0.3, 0.0]]
    assert select(mean, hopeful, [[0.5, 0.5]], 1) == [2]
    hopeless = [[0.001, 0.0], [0.003, 0.0], [0.002, 0.0]]
    assert select(mean, hopeless, [[0.5, 0.5]], 3) == [1, 2, 0]


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("count", [0, 3, 10])
def test_contract(name, count):
    rng = np.random.default_rng(0)
    mean, std = rng.random((count, 3)), rng.random((count, 3))
    chosen = SELECTIONS[name]()(
        candidates(mean, std), front=rng.random((4, 3)), reference=np.full(3, 1.1), batch=5, rng=rng
    )
    assert len(chosen) == len(set(chosen.tolist())) == min(5, count)
    assert set(chosen.tolist()) <= set(range(count))
