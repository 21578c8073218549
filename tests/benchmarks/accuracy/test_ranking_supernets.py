"""Other ways to train a supernet: which subnets a step trains, and what they learn from."""

from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.ranking_supernets import NUM_UNIFORM, uniform_by_labels, without_smallest
from hytnas_jax.train_supernet import command
from supernet import built_in_space, training

SPACE = built_in_space("hybrid-small")


def drawn() -> list[Any]:
    return command.sandwich(SPACE, np.random.default_rng(0), num_random=2, resolution=8)


def test_without_the_smallest_a_random_one_takes_its_place() -> None:
    usual = drawn()
    with without_smallest():
        others = drawn()
    assert (len(usual), len(others)) == (4, 4)
    assert usual[1] not in others
    assert drawn() == usual


def test_uniform_subnets_learn_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes: list[training.Recipe] = []
    monkeypatch.setattr(training, "step", lambda model, recipe, *batch: recipes.append(recipe))
    with uniform_by_labels():
        training.step(None, training.Recipe(num_steps=1), None, None, None, None)  # type: ignore[arg-type]
        assert len(drawn()) == NUM_UNIFORM
    training.step(None, training.Recipe(num_steps=1), None, None, None, None)  # type: ignore[arg-type]
    by_labels, usual = (recipe.lesson.teach(np.zeros((1, 2)), np.eye(2)[:1]) for recipe in recipes)  # type: ignore[arg-type]
    np.testing.assert_array_equal(by_labels, [[1, 0]])
    np.testing.assert_array_equal(usual, [[0.5, 0.5]])  # what the largest says
