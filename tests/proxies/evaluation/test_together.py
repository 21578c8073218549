"""Many subnets in one program: the same as one after the other, in as much memory as there is."""

import jax
import numpy as np
import pytest
from one_stage_space import SPACE

from proxies.evaluation import together
from proxies.evaluation.base import EvaluationImages
from proxies.evaluation.together import BatchEvaluator
from proxies.supernet_accuracy import SupernetError
from supernet.errors import UserError
from supernet.model import Tree
from supernet.supernet import SupernetModel, controls, supernet

from ..evaluated_space import NUM_CLASSES, drawn, evaluation_images

pytestmark = pytest.mark.usefixtures("quick_compiling")

MEMBERS = drawn(4, 5)


@pytest.fixture(scope="module")
def model() -> SupernetModel:
    return supernet(SPACE, channels=1, num_classes=NUM_CLASSES, tiers=1)


@pytest.fixture(scope="module")
def params(model: SupernetModel) -> Tree:
    return model.init(jax.random.key(3))[0]


@pytest.fixture(scope="module")
def one_after_the_other(model: SupernetModel, params: Tree) -> np.ndarray:
    estimator = SupernetError(SPACE, model, params, evaluation_images)
    found = estimator.estimate(MEMBERS)
    return np.stack([found.values, found.details["loss"]], 1)


def evaluated_images() -> EvaluationImages:
    return evaluation_images(4)


def test_together_is_one_after_the_other(
    model: SupernetModel, params: Tree, one_after_the_other: np.ndarray
) -> None:
    """Five subnets in groups of two: the last group is filled up, and what fills it is not told."""
    evaluate, evaluated = BatchEvaluator(model, params, evaluated_images(), most=3), []
    results = evaluate(MEMBERS, controls(SPACE, MEMBERS), lambda: evaluated.append(1))
    np.testing.assert_allclose(results, one_after_the_other, rtol=1e-4, atol=1e-6)
    assert len(evaluated) == 5
    np.testing.assert_array_equal(
        evaluate(MEMBERS[:1], controls(SPACE, MEMBERS[:1]), lambda: None), results[:1]
    )


def test_as_many_as_memory_holds(model: SupernetModel, params: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are counted for 4, 2 and 1 subnets; with room for 2 the program takes 2, with none it says so."""
    needed: list[int] = []
    count = together._needed_bytes
    monkeypatch.setattr(
        together, "_needed_bytes", lambda program: needed.append(count(program)) or needed[-1]
    )
    monkeypatch.setattr(together, "free_bytes", lambda device: 0)
    batch = controls(SPACE, MEMBERS)
    evaluate = BatchEvaluator(model, params, evaluated_images(), most=4)
    with pytest.raises(UserError, match=r"evaluating a subnet takes 0\.00 GiB .* 0\.00 GiB are free"):
        evaluate(MEMBERS, batch, lambda: None)
    four, two, one = needed
    assert four > two > one > 0
    monkeypatch.setattr(together, "free_bytes", lambda device: two)
    roomy = BatchEvaluator(model, params, evaluated_images(), most=4)
    sizes: list[int] = []
    roomy(MEMBERS, batch, lambda: sizes.append(roomy._program[0] if roomy._program else 0))
    assert sizes == [2] * 5
