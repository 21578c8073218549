"""The lesson of segmentation, by hand."""

import jax
import numpy as np
import pytest

from supernet.errors import UserError
from supernet.tasks.segmentation import (
    LossSums,
    cell_pixels,
    class_weights_of,
    encode,
    image_losses,
    mean_loss,
    segmentation,
)

MASK = np.array(
    [
        [0, 0, 1, 1],
        [0, 1, 255, 1],
        [255, 255, 2, 2],
        [255, 255, 2, 2],
    ],
    np.uint8,
)
TARGETS = {"mask": MASK[None]}
EVEN = (1.0, 1.0, 1.0)


def test_a_cell_has_the_shares_of_its_pixels() -> None:
    np.testing.assert_array_equal(
        cell_pixels(TARGETS["mask"], (2, 2, 3))[0],
        [[[0.75, 0.25, 0], [0, 0.75, 0]], [[0, 0, 0], [0, 0, 1]]],
    )


def test_labels_are_shares_of_what_is_not_ignored() -> None:
    dense = segmentation(3, EVEN).encode(TARGETS, (2, 2, 3))
    np.testing.assert_allclose(
        dense.classes[0], [[[0.75, 0.25, 0], [0, 1, 0]], [[1 / 3] * 3, [0, 0, 1]]], rtol=1e-6
    )
    np.testing.assert_allclose(dense.weight[0], [[1, 0.75], [0, 1]])


def test_a_class_counts_by_its_weight() -> None:
    dense = encode(TARGETS, (2, 2, 3), (1.0, 3.0, 0.5))
    np.testing.assert_allclose(dense.classes[0, 0, 0], [0.5, 0.5, 0], rtol=1e-6)
    np.testing.assert_allclose(dense.weight[0], [[1.5, 2.25], [0, 0.5]])


def test_the_loss_is_that_of_pixels_with_the_logits_of_their_cell() -> None:
    weights = (0.5, 1.5, 1.0)
    output = np.random.default_rng(0).standard_normal((1, 2, 2, 3)).astype(np.float32)
    pixels = np.repeat(np.repeat(np.asarray(jax.nn.log_softmax(output))[0], 2, 0), 2, 1)
    counted = MASK != 255
    label = MASK[counted].astype(int)
    nats = -pixels[counted][np.arange(len(label)), label]
    lesson = segmentation(3, weights)
    loss = lesson.loss(output, lesson.encode(TARGETS, (2, 2, 3)))
    assert float(loss) == pytest.approx(np.average(nats, weights=np.array(weights)[label]), rel=1e-5)


@pytest.mark.parametrize("side", [1, 3, 4, 5, 8])
def test_a_mask_of_any_side(side: int) -> None:
    """A cell that is smaller than a pixel has that pixel's class; every cell sums to at most 1."""
    pixels = np.asarray(cell_pixels(TARGETS["mask"], (side, side, 3)))
    assert pixels.shape == (1, side, side, 3)
    assert pixels.sum(-1).max() <= 1
    if side % 4 == 0:
        named = np.repeat(np.repeat(MASK, side // 4, 0), side // 4, 1)
        np.testing.assert_array_equal(pixels[0], np.eye(256)[named][..., :3])


def test_a_side_that_does_not_divide_the_mask_is_nearly_fair() -> None:
    half = np.zeros((1, 100, 100), np.uint8)
    half[:, :, 50:] = 1
    pixels = np.asarray(cell_pixels(half, (3, 3, 2)))
    np.testing.assert_allclose(pixels[0, 1], [[1, 0], [0.5, 0.5], [0, 1]], atol=0.02)


def test_where_all_is_ignored_there_is_no_loss() -> None:
    lesson = segmentation(3, EVEN)
    nothing = {"mask": np.full((1, 4, 4), 255, np.uint8)}
    output = np.ones((1, 2, 2, 3), np.float32)
    loss, gradient = jax.value_and_grad(lesson.loss)(output, lesson.encode(nothing, (2, 2, 3)))
    assert float(loss) == 0
    assert np.abs(gradient).max() == 0
    assert float(lesson.share(output, nothing)) == 0


def test_the_first_teaches_its_share() -> None:
    lesson = segmentation(3, EVEN, teacher_share=0.25)
    dense = lesson.encode(TARGETS, (2, 2, 3))
    taught = lesson.teach(np.zeros((1, 2, 2, 3), np.float32), dense)
    np.testing.assert_allclose(taught.classes, 0.75 * dense.classes + 0.25 / 3, rtol=1e-6)
    assert taught.weight is dense.weight


def test_the_share_of_pixels_that_are_right() -> None:
    named = np.array([[0, 1], [0, 0]])
    output = np.eye(3, dtype=np.float32)[named][None]
    assert float(segmentation(3, EVEN).share(output, TARGETS)) == pytest.approx((3 + 3) / 11)


def test_losses_of_images_add_up() -> None:
    masks = {"mask": np.stack([MASK, np.full_like(MASK, 2)])}
    lesson = segmentation(3, EVEN)
    dense = lesson.encode(masks, (2, 2, 3))
    output = np.random.default_rng(0).standard_normal((2, 2, 2, 3)).astype(np.float32)
    losses = image_losses(output, dense)
    total = mean_loss(LossSums(*(np.sum(part) for part in losses)))
    assert float(total) == pytest.approx(float(lesson.loss(output, dense)), rel=1e-6)


def test_weights_of_classes() -> None:
    weights = class_weights_of([900, 100, 0])
    expected = 1 / np.log(1.1 + np.array([0.9, 0.1, 0]))
    np.testing.assert_allclose(weights, expected / expected.mean())
    assert np.mean(weights) == pytest.approx(1)
    assert max(class_weights_of([1, 0])) / min(class_weights_of([1, 0])) < 8
    with pytest.raises(UserError, match="all counts are 0"):
        class_weights_of([0, 0])


@pytest.mark.parametrize("value", [0.0, 100.0, -100.0])
def test_gradients_are_finite_for_many_subnets(value: float) -> None:
    lesson = segmentation(3, (0.1, 1.0, 1.9))
    outputs = np.full((4, 1, 2, 2, 3), value, np.float32)

    @jax.jit
    def gradients(outputs: jax.Array) -> jax.Array:
        dense = lesson.encode(TARGETS, (2, 2, 3))
        taught = jax.vmap(lesson.teach, (0, None))(outputs, dense)
        return jax.vmap(jax.grad(lesson.loss))(outputs, taught)

    assert np.isfinite(gradients(outputs)).all()


def test_the_same_arguments_are_the_same_lesson() -> None:
    assert segmentation(3, EVEN) is segmentation(3, (1, 1, 1), teacher_share=0.5)
    assert segmentation(3, EVEN) is not segmentation(3, EVEN, teacher_share=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, (1.0,)), "num_classes=1: segmentation takes 2 to 255 classes"),
        ((3, (1.0, 1.0)), "class_weights has 2 values for 3 classes"),
        ((2, (1.0, 0.0)), "all must be numbers above 0"),
        ((2, (1.0, float("nan"))), "all must be numbers above 0"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple, message: str) -> None:
    with pytest.raises(UserError, match=message):
        segmentation(*arguments)
