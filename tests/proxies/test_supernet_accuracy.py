"""The error of subnets, counted by hand on their stand-alone networks; one program for each resolution."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from one_stage_space import SPACE

from proxies.base import Estimator
from proxies.evaluation import by_parts
from proxies.evaluation.alone import summarise_alone
from proxies.evaluation.base import EvaluationImages, in_batches
from proxies.evaluation.classification import CLASSIFICATION
from proxies.supernet_accuracy import SupernetError
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.model import Model, Tree
from supernet.network import stand_alone
from supernet.subnet import slice_subnet
from supernet.supernet import SupernetModel, supernet

from .evaluated_space import NUM_CLASSES, drawn, evaluation_images

pytestmark = pytest.mark.usefixtures("quick_compiling")


@pytest.fixture(scope="module")
def model() -> SupernetModel:
    return supernet(SPACE, channels=1, num_classes=NUM_CLASSES, tiers=2)


@pytest.fixture(scope="module")
def params(model: SupernetModel) -> Tree:
    return model.init(jax.random.key(3))[0]


@pytest.fixture(scope="module")
def estimator(model: SupernetModel, params: Tree) -> SupernetError:
    return SupernetError(SPACE, model, params, evaluation_images)


def counted_by_hand(architecture: Architecture, model: Model, params: Tree) -> tuple[float, float]:
    """Error and loss of the sliced network, image by image."""
    blank = model.no_stats()
    spec, own, own_stats = slice_subnet(SPACE, architecture, params, blank)
    evaluated, network = evaluation_images(architecture.resolution), stand_alone(spec)

    @jax.jit
    def logits_of(images: jax.Array) -> jax.Array:
        stats = calibrate(network, own, own_stats, evaluated.calibration)
        return network.apply(own, stats, images, train=False)[0]

    images = evaluated.images.reshape(-1, *evaluated.images.shape[2:])[:7]
    logits = np.asarray(logits_of(images), np.float64)
    labels = [0, 1, 2, 0, 1, 2, 0]
    wrong = sum(int(np.argmax(row)) != label for row, label in zip(logits, labels, strict=True))
    chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return wrong / 7, float(-np.log(chances[np.arange(7), labels]).mean())


def test_it_is_an_estimator(estimator: SupernetError) -> None:
    typed: Estimator = estimator
    assert (typed.name, typed.unit, typed.direction) == ("error", "", "min")


def test_one_trace_a_part_and_resolution_serves_all_architectures(
    params: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SupernetModel(SPACE, 1, NUM_CLASSES, jnp.float32, tiers=2)  # nothing of it is compiled yet
    evaluated, traces = [], []
    apply = Model.apply

    def counted(self: Model, *args: Any, **options: Any) -> tuple[jax.Array, Tree]:
        traces.append(self)
        return apply(self, *args, **options)

    monkeypatch.setattr(Model, "apply", counted)
    estimator = SupernetError(
        SPACE, model, params, evaluation_images, on_evaluated=lambda: evaluated.append(1)
    )
    estimator(drawn(4, 1))
    assert traces == [part.model for part in model.parts]
    found = estimator.estimate(drawn(4, 20))
    errors = found.values
    assert len(traces) == len(model.parts)
    assert errors.shape == (20,)
    assert errors.dtype == np.float64
    assert np.isfinite(errors).all()
    assert len(np.unique(np.round(found.details["loss"], 5))) == 20
    assert len(evaluated) == 21
    SupernetError(SPACE, model, params, evaluation_images)(drawn(4, 1))  # as the next step of a main job does
    assert len(traces) == len(model.parts)
    mixed = estimator([*drawn(6, 3), *drawn(4, 2)])
    assert len(traces) == 2 * len(model.parts)
    np.testing.assert_array_equal(mixed[3:], errors[:2])


def test_what_subnets_share_is_computed_once(
    model: SupernetModel, params: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing changes where nothing can be kept."""
    members = drawn(4, 3)
    estimator = SupernetError(SPACE, model, params, evaluation_images)
    before = estimator.estimate(members)
    computed = []
    call = by_parts.EvaluatedPart.__call__
    monkeypatch.setattr(
        by_parts.EvaluatedPart,
        "__call__",
        lambda part, *args: computed.append(part) or call(part, *args),
    )
    np.testing.assert_array_equal(estimator(members), before.values)
    assert len(computed) == 3  # the heads
    forgetful = SupernetError(SPACE, model, params, evaluation_images, kept_bytes=0)
    after = forgetful.estimate(members)
    np.testing.assert_array_equal(after.values, before.values)
    np.testing.assert_allclose(after.details["loss"], before.details["loss"], rtol=1e-6)
    assert len(computed) == 3 + 3 * len(model.parts)


def test_the_error_is_a_count_on_the_sliced_network(
    model: SupernetModel, params: Tree, estimator: SupernetError
) -> None:
    kinds = {a.stages[0].block: a for a in drawn(4, 20) if a.stages[0].depth == 2}
    members = [kinds["conv"], kinds["attention"]]
    found = estimator.estimate(members)
    errors = found.values
    for index, member in enumerate(members):
        error, loss = counted_by_hand(member, model, params)
        assert errors[index] == pytest.approx(error, abs=1e-6)
        assert found.details["loss"][index] == pytest.approx(loss, rel=1e-3)
    assert 0 < errors.mean() < 1


def test_no_architectures_give_no_errors(estimator: SupernetError) -> None:
    found = estimator.estimate([])
    assert found.values.shape == found.details["loss"].shape == (0,)


def test_logits_that_are_no_numbers_give_no_error(model: SupernetModel, params: Tree) -> None:
    broken = jax.tree.map(lambda values: values * np.nan, params)
    found = SupernetError(SPACE, model, broken, evaluation_images).estimate(drawn(4, 2))
    assert np.isnan(found.values).all()


def test_images_that_fill_a_batch_do_not_count(
    model: SupernetModel, params: Tree, estimator: SupernetError
) -> None:
    """Whatever they show; and an image of another class in their place does count."""

    def other_filling(resolution: int) -> EvaluationImages:
        evaluated = evaluation_images(resolution)
        images = evaluated.images.copy()
        images[1, 3] = 100.0
        return evaluated._replace(images=images)

    members = drawn(4, 3)
    expected = estimator.estimate(members)
    found = SupernetError(SPACE, model, params, other_filling).estimate(members)
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_allclose(found.details["loss"], expected.details["loss"], rtol=1e-6)


def test_a_network_of_its_own_is_evaluated_with_statistics_given() -> None:
    """With logits that are the bias: always class 1, which two of seven images are."""
    (member,) = drawn(4, 1)
    network = stand_alone(SPACE.network_spec(member, num_classes=NUM_CLASSES, channels=1))
    params, stats = network.init(jax.random.key(0))
    params["head"]["classifier"] = {
        "kernel": np.zeros(params["head"]["classifier"]["kernel"].shape, np.float32),
        "bias": np.array([0.0, 2.0, 0.0], np.float32),
    }
    summarise = jax.jit(lambda images: summarise_alone(network, params, stats, images, CLASSIFICATION))
    error, loss = CLASSIFICATION.score(summarise(evaluation_images(4)))
    assert error == pytest.approx(5 / 7)
    right, wrong = np.log(np.exp(2) + 2) - 2, np.log(np.exp(2) + 2)
    assert loss == pytest.approx((2 * right + 5 * wrong) / 7, rel=1e-5)


@pytest.mark.parametrize(
    ("num", "batch", "expected"),
    [
        (5, 2, [[1, 2], [3, 4], [5, 0]]),
        (4, 2, [[1, 2], [3, 4]]),
        (2, 4, [[1, 2, 0, 0]]),
    ],
)
def test_in_batches_by_hand(num: int, batch: int, expected: list[list[int]]) -> None:
    """Targets stay beside their images; the filling is zero, and not real."""
    values = np.arange(num) + 1
    targets = {"label": values.astype(np.int32), "boxes": np.ones((num, 3, 4))}
    images, batched, real = in_batches(values.astype(np.float32).reshape(num, 1, 1, 1), targets, batch)
    assert images.shape == (len(expected), batch, 1, 1, 1)
    assert images[..., 0, 0, 0].tolist() == batched["label"].tolist() == expected
    assert batched["label"].dtype == np.int32
    assert batched["boxes"].shape == (len(expected), batch, 3, 4)
    assert real.tolist() == (np.array(expected) > 0).tolist()


def test_sums_of_parts_add_up() -> None:
    """What is evaluated in two halves has the error and the loss of the whole."""
    logits = np.random.default_rng(0).standard_normal((2, 4, 3)).astype(np.float32)
    targets, real = {"label": np.array([[0, 1, 2, 0], [1, 2, 0, 0]])}, np.ones((2, 4), bool)
    whole = CLASSIFICATION.score(CLASSIFICATION.summarise(logits, targets, real))
    halves = [
        CLASSIFICATION.summarise(logits[i : i + 1], {"label": targets["label"][i : i + 1]}, real[:1])
        for i in (0, 1)
    ]
    np.testing.assert_allclose(CLASSIFICATION.score(jax.tree.map(np.add, *halves)), whole, rtol=1e-6)
