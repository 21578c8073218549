"""The lesson of classification, by hand; and a training whose numbers are stored."""

import jax
import numpy as np
import one_stage_space
import pytest

from supernet import training
from supernet.sampling import sandwich
from supernet.supernet import controls, supernet
from supernet.tasks.classification import CLASSIFICATION, LABEL_SMOOTHING, classification

LOGITS = np.log(np.array([[0.2, 0.8], [0.5, 0.5]], np.float32))
TARGETS = {"label": np.array([1, 0])}


def test_labels_are_smoothed() -> None:
    np.testing.assert_allclose(classification(0.2).encode(TARGETS, (2,)), [[0.1, 0.9], [0.9, 0.1]], rtol=1e-6)


def test_the_loss_is_a_mean_cross_entropy() -> None:
    dense = classification(0.0).encode(TARGETS, (2,))
    expected = -(np.log(0.8) + np.log(0.5)) / 2
    assert float(CLASSIFICATION.loss(LOGITS, dense)) == pytest.approx(expected, rel=1e-6)


def test_the_first_teaches_its_probabilities() -> None:
    taught = CLASSIFICATION.teach(LOGITS, CLASSIFICATION.encode(TARGETS, (2,)))
    np.testing.assert_allclose(taught, np.exp(LOGITS), rtol=1e-6)


def test_the_share_that_is_right() -> None:
    assert float(CLASSIFICATION.share(LOGITS, TARGETS)) == 1.0  # of equal logits the first counts
    assert float(CLASSIFICATION.share(LOGITS, {"label": np.array([1, 1])})) == 0.5


def test_the_same_smoothing_is_the_same_lesson() -> None:
    """Or a program would be compiled anew for every recipe."""
    assert classification(0.3) is classification(0.3)
    assert classification(LABEL_SMOOTHING) is CLASSIFICATION
    assert hash(training.Recipe(num_steps=3)) == hash(training.Recipe(num_steps=3))


def test_stored_numbers_of_a_training() -> None:
    """From before training knew of tasks: four steps of a supernet, each with four subnets.

    Other processors round otherwise, and each step adds to it: of the last norm 6e-5.
    """
    space = one_stage_space.SPACE.with_resolutions([8])
    model = supernet(space, channels=2, num_classes=3)
    images = np.random.default_rng(0).standard_normal((6, 8, 8, 2)).astype(np.float32)
    targets = {"label": np.array([0, 2, 1, 1, 0, 2], np.int32)}
    recipe = training.Recipe(num_steps=20)
    state = training.init(recipe, model.init(jax.random.key(0))[0])
    step = jax.jit(lambda state, subnets: training.step(model, recipe, state, images, targets, subnets))
    losses, norms = [], []
    for number in range(4):
        subnets = sandwich(space, np.random.default_rng(number), num_random=2, resolution=8)
        state, metrics = step(state, controls(space, subnets))
        losses.append(metrics.loss)
        norms.append(float(metrics.gradient_norm))
    stored = [
        [1.104783, 1.0965223, 1.0979874, 1.0965223],
        [1.102749, 1.09746, 1.0952322, 1.0972813],
        [1.0961121, 1.0974303, 1.0974303, 1.0966821],
        [1.1052104, 1.0988679, 1.0980788, 1.09833],
    ]
    np.testing.assert_allclose(losses, stored, rtol=1e-5)
    np.testing.assert_allclose(
        norms, [0.1687568724155426, 0.172187939286232, 0.16481348872184753, 0.551937997341156], rtol=3e-4
    )
