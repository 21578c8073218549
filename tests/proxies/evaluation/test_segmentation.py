"""Evaluating segmentation by hand, and what a free map that learnt one image reaches."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from proxies.evaluation.segmentation import Sums, quality, segmentation
from supernet.tasks import segmentation as lesson

pytestmark = pytest.mark.usefixtures("quick_compiling")

EVEN = (1.0, 1.0, 1.0)
MASK = np.array([[0, 0, 1, 1], [0, 1, 255, 1], [255, 255, 1, 0], [255, 255, 0, 0]], np.uint8)


SUMMARISE = jax.jit(segmentation(3, EVEN).summarise)


def output_of(named: list[list[int]]) -> np.ndarray:
    """[h, w, 3], certain of these classes."""
    return 9 * np.eye(3, dtype=np.float32)[np.array(named)]


def summed(outputs: np.ndarray, masks: np.ndarray, real: list[bool] | None = None) -> Sums:
    """Of one batch."""
    targets = {"mask": masks[None]}
    return SUMMARISE(outputs[None], targets, np.array([real or [True] * len(masks)]))


def test_pixels_by_hand() -> None:
    """At the mask's own side no pixel is resized. Class 2 is not in the truth; that it is found costs 0."""
    found = np.where(MASK == 255, 2, MASK)
    found[0, 0], found[3, 3] = 1, 2
    sums = summed(output_of(found.tolist())[None], MASK[None])
    np.testing.assert_array_equal(sums.pixels, [[4, 1, 1], [0, 5, 0], [0, 0, 0]])
    result = quality(sums)
    np.testing.assert_allclose(result.by_class, [4 / 6, 5 / 6, np.nan])
    assert result.miou == pytest.approx(0.75)
    error, loss = segmentation(3, EVEN).score(jax.device_get(sums))
    assert error == pytest.approx(0.25)
    assert loss == pytest.approx(9 * 2 / 11, rel=1e-3)  # 2 of 11 pixels are wrong, by 9 in the logits


def test_logits_are_resized_before_a_class_is_named() -> None:
    """Between two cells the more certain reaches further."""
    output = np.zeros((2, 2, 3), np.float32)
    output[:, 0, 0], output[:, 1, 1] = 9, 1
    sums = summed(output[None], np.zeros((1, 16, 16), np.uint8))
    resized = np.asarray(jax.image.resize(output, (16, 16, 3), "bilinear"))
    expected = (resized.argmax(-1) == 0).sum()
    assert 16 * 8 < expected < 16 * 16
    np.testing.assert_array_equal(sums.pixels[0], [expected, 256 - expected, 0])


def test_the_loss_is_the_lessons() -> None:
    rng = np.random.default_rng(0)
    weights = (0.5, 1.5, 1.0)
    outputs = rng.standard_normal((2, 3, 4, 4, 3)).astype(np.float32)
    masks = rng.choice(np.array([0, 1, 2, 255], np.uint8), (2, 3, 8, 8))
    sums = jax.jit(segmentation(3, weights).summarise)(outputs, {"mask": masks}, np.ones((2, 3), bool))
    taught = lesson.segmentation(3, weights)
    flat = {"mask": masks.reshape(6, 8, 8)}
    expected = taught.loss(outputs.reshape(6, 4, 4, 3), taught.encode(flat, (4, 4, 3)))
    assert segmentation(3, weights).score(jax.device_get(sums))[1] == pytest.approx(float(expected), rel=1e-5)
    assert int(sums.images) == 6
    assert int(sums.pixels.sum()) == (masks != 255).sum()


def test_what_fills_a_batch_up_does_not_count() -> None:
    outputs = np.stack([output_of([[0]]), np.full((1, 1, 3), np.nan, np.float32)])
    masks = np.zeros((2, 4, 4), np.uint8)
    sums = summed(outputs, masks, [True, False])
    assert int(sums.pixels.sum()) == 16
    np.testing.assert_allclose(segmentation(3, EVEN).score(sums), [0, 0], atol=1e-3)


def test_an_ignored_image_and_nan() -> None:
    nothing = summed(output_of([[1]])[None], np.full((1, 4, 4), 255, np.uint8))
    error, loss = segmentation(3, EVEN).score(nothing)
    assert np.isnan(error)
    assert loss == 0
    error, loss = segmentation(3, EVEN).score(summed(np.full((1, 2, 2, 3), np.nan, np.float32), MASK[None]))
    assert 0 <= error <= 1
    assert np.isnan(loss)


def test_parts_may_be_added_up_and_subnets_evaluated_together() -> None:
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((3, 2, 2, 5, 5, 3)).astype(np.float32)
    masks = rng.integers(0, 3, (2, 2, 12, 12)).astype(np.uint8)
    real = np.array([[True, True], [True, False]])
    score = segmentation(3, EVEN).score
    together = jax.jit(jax.vmap(SUMMARISE, (0, None, None)))(outputs, {"mask": masks}, real)
    for subnet in range(3):
        parts = [SUMMARISE(outputs[subnet, [n]], {"mask": masks[[n]]}, real[[n]]) for n in range(2)]
        added = jax.tree.map(np.add, *map(jax.device_get, parts))
        whole = jax.tree.map(lambda x, subnet=subnet: np.asarray(x[subnet]), together)
        np.testing.assert_array_equal(whole.pixels, added.pixels)
        np.testing.assert_allclose(score(whole), score(added), rtol=1e-5)


def test_too_many_pixels_are_refused() -> None:
    shapes = [
        jax.ShapeDtypeStruct(shape, dtype)
        for shape, dtype in (
            ((1, 2**13, 1, 1, 3), jnp.float32),
            ((1, 2**13, 512, 512), jnp.uint8),
            ((1, 2**13), jnp.bool_),
        )
    ]
    with pytest.raises(ValueError, match="summarise them in parts"):
        jax.eval_shape(
            lambda outputs, masks, real: segmentation(3, EVEN).summarise(outputs, {"mask": masks}, real),
            *shapes,
        )


def test_a_map_that_learns_one_image_names_all_of_it() -> None:
    mask = np.zeros((1, 16, 16), np.uint8)
    mask[:, 4:12, 4:12], mask[:, :, 14:] = 1, 2
    taught = lesson.segmentation(3, lesson.class_weights_of(np.bincount(mask.ravel())))
    dense = taught.encode({"mask": mask}, (8, 8, 3))
    optimizer = optax.adam(0.2)

    def descend(carry: Any, _: None) -> tuple[Any, jax.Array]:
        output, state = carry
        loss, gradient = jax.value_and_grad(taught.loss)(output, dense)
        updates, state = optimizer.update(gradient, state)
        return (output + updates, state), loss

    start = jnp.zeros((1, 8, 8, 3))
    (output, _), losses = jax.jit(lambda *carry: jax.lax.scan(descend, carry, length=100))(
        start, optimizer.init(start)
    )
    assert float(losses[0]) == pytest.approx(np.log(3), rel=1e-5)
    assert float(losses[-1]) < 0.01
    assert float(taught.share(output, {"mask": mask})) == 1
    assert quality(summed(output, mask)).miou > 0.95
