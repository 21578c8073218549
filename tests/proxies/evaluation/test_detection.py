"""Evaluating detection: by hand, by pycocotools, and what a free map that learnt one image reaches."""

from typing import Any

import coco_oracle
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from proxies.evaluation.boxes import FoundBoxes
from proxies.evaluation.coco_matching import NEITHER, RIGHT, THRESHOLDS, WRONG, match_boxes
from proxies.evaluation.detection import Sums, average_precisions, detection, histogram, num_bins, quality
from supernet.tasks import detection as lesson

pytestmark = pytest.mark.usefixtures("quick_compiling")

LEFT, RIGHT_HALF, ALL = [0, 0, 0.5, 1], [0.5, 0, 1, 1], [0, 0, 1, 1]


def truth_of(*images: list[tuple[list[float], int, bool]], most: int = 3) -> dict[str, np.ndarray]:
    """One batch, [1, B, ...]."""
    boxes = np.zeros((1, len(images), most, 4), np.float32)
    classes, ignored = np.full(boxes.shape[:3], -1, np.int32), np.zeros(boxes.shape[:3], bool)
    for image, objects in enumerate(images):
        for index, (box, label, crowd) in enumerate(objects):
            boxes[0, image, index], classes[0, image, index], ignored[0, image, index] = box, label, crowd
    return {"boxes": boxes, "classes": classes, "ignored": ignored}


def found_of(*boxes: tuple[list[float], float, int]) -> FoundBoxes:
    corners, scores, classes = zip(*boxes, strict=True)
    return FoundBoxes(
        jnp.array(corners, jnp.float32), jnp.array(scores, jnp.float32), jnp.array(classes, jnp.int32)
    )


def verdicts(found: FoundBoxes, *truth: tuple[list[float], int, bool], at: float = 0.5) -> list[int]:
    one = {name: array[0, 0] for name, array in truth_of(list(truth)).items()}
    return np.asarray(match_boxes(found, one["boxes"], one["classes"], one["ignored"]))[
        :, int(np.flatnonzero(np.isclose(THRESHOLDS, at))[0])
    ].tolist()


def test_an_object_is_found_once() -> None:
    found = found_of((LEFT, 0.9, 0), (LEFT, 0.8, 0), (RIGHT_HALF, 0.7, 0), (RIGHT_HALF, 0.6, 1))
    assert verdicts(found, (LEFT, 0, False)) == [RIGHT, WRONG, WRONG, WRONG]
    assert verdicts(found, (LEFT, 0, False), (RIGHT_HALF, 1, False)) == [RIGHT, WRONG, WRONG, RIGHT]


def test_a_box_takes_what_it_agrees_with_best() -> None:
    found = found_of(([0, 0, 0.9, 1], 0.9, 0), ([0, 0, 0.6, 1], 0.8, 0))
    assert verdicts(found, ([0, 0, 0.6, 1], 0, False), (ALL, 0, False)) == [RIGHT, RIGHT]
    assert verdicts(found, ([0, 0, 0.6, 1], 0, False), (ALL, 0, False), at=0.95) == [WRONG, RIGHT]


def test_an_ignored_box_takes_many_and_counts_none() -> None:
    """Of an ignored box it is the found one's own area that counts."""
    found = found_of((LEFT, 0.9, 0), (RIGHT_HALF, 0.8, 0), (RIGHT_HALF, 0.7, 1), (LEFT, 0.6, -1))
    assert verdicts(found, (ALL, 0, True)) == [NEITHER, NEITHER, WRONG, NEITHER]
    assert verdicts(found, (ALL, 0, True), (LEFT, 0, False)) == [RIGHT, NEITHER, WRONG, NEITHER]


def test_ap_by_hand() -> None:
    """Right, wrong, right of four: recall 1/4 at precision 1, 2/4 at 2/3, 26 and 25 of the 101 recalls."""
    found = np.zeros((3, 2, 10, 512), np.int32)
    found[0, 1, :, [400, 100]] = 1
    found[0, 0, :, 200] = 1
    found[2, 0, :, 7] = 5
    precisions = average_precisions(found, np.array([4, 2, 0]))
    np.testing.assert_allclose(precisions[0], (26 + 25 * 2 / 3) / 101)
    np.testing.assert_array_equal(precisions[1], 0)  # missed altogether
    assert np.isnan(precisions[2]).all()  # not there: no matter what was found


def test_in_one_bin_right_and_wrong_are_mixed() -> None:
    """One right between two wrong ones: with one before it, on average."""
    found = np.zeros((1, 2, 10, 512), np.int32)
    found[0, :, :, 300] = np.array([2, 1])[:, None]
    np.testing.assert_allclose(average_precisions(found, np.array([1])), 0.5)


def map_of(*objects: tuple[int, int, int, list[float]], num_classes: int = 2, side: int = 4) -> np.ndarray:
    """An output that finds (row, column, class, box) for certain."""
    output = np.full((side, side, num_classes + 4), -9, np.float32)
    output[..., num_classes:] = -5
    for row, column, label, box in objects:
        left, top, right, bottom = np.array(box) * side
        output[row, column, label] = 5
        sides = [column + 0.5 - left, row + 0.5 - top, right - column - 0.5, bottom - row - 0.5]
        output[row, column, num_classes:] = np.log(sides)
    return output


SUMMARISE = jax.jit(detection(2).summarise)


def summed(outputs: np.ndarray, targets: dict, real: list[bool] | None = None) -> Sums:
    count = targets["classes"].shape[1]
    return SUMMARISE(jnp.asarray(outputs), targets, np.array([real or [True] * count], bool))


def test_images_by_hand() -> None:
    """Two objects found of two; an empty image in which nothing is; and one that fills the batch up."""
    targets = truth_of(
        [([0.1, 0.1, 0.45, 0.9], 0, False), ([0.55, 0.1, 0.9, 0.9], 0, False)], [], [(ALL, 1, False)]
    )
    output = map_of((1, 1, 0, [0.1, 0.1, 0.45, 0.9]), (2, 2, 0, [0.55, 0.1, 0.9, 0.9]))
    outputs = np.stack([output, map_of(), map_of()])[None]
    sums = summed(outputs, targets, [True, True, False])
    result = quality(sums)
    assert int(sums.images) == 2
    np.testing.assert_array_equal(sums.truth, [2, 0])
    assert (result.ap, result.ap50) == pytest.approx((1, 1))
    assert result.by_class[0] == pytest.approx(1)
    assert np.isnan(result.by_class[1])
    error, loss = detection(2).score(jax.device_get(sums))
    assert error == pytest.approx(0)
    dense = lesson.encode({name: array[0, :2] for name, array in targets.items()}, (4, 4, 6))
    assert loss == pytest.approx(float(lesson.detection(2).loss(outputs[0, :2], dense)), rel=1e-5)


def test_a_class_that_is_only_in_ignored_boxes_is_absent() -> None:
    targets = truth_of([(ALL, 1, True), (LEFT, 0, False)])
    sums = summed(map_of((1, 1, 1, [0.1, 0.1, 0.9, 0.9]))[None, None], targets)
    np.testing.assert_array_equal(sums.truth, [1, 0])
    assert quality(sums).ap == 0
    assert int(sums.found[1, :, 0, 256:].sum()) == 0


def test_without_any_truth_there_is_no_error() -> None:
    error, loss = detection(2).score(summed(map_of()[None, None], truth_of([])))
    assert np.isnan(error)
    assert np.isfinite(loss)


def test_nan_is_seen_in_the_loss() -> None:
    targets = truth_of([(ALL, 1, False)])
    error, loss = detection(2).score(summed(np.full((1, 1, 4, 4, 6), np.nan, np.float32), targets))
    assert 0 <= error <= 1
    assert np.isnan(loss)


def test_nan_in_what_fills_a_batch_up_is_not() -> None:
    outputs = np.stack([map_of((1, 1, 1, [0.1, 0.1, 0.9, 0.9])), np.full((4, 4, 6), np.nan, np.float32)])[
        None
    ]
    scores = detection(2).score(summed(outputs, truth_of([(ALL, 1, False)], []), [True, False]))
    assert np.isfinite(scores).all()


def test_parts_may_be_added_up_and_subnets_evaluated_together() -> None:
    rng = np.random.default_rng(0)
    boxes, classes, ignored = coco_oracle.random_truth(rng, 8, 5, 2)
    targets = {"boxes": boxes, "classes": classes, "ignored": ignored}
    batches = jax.tree.map(lambda x: x.reshape(2, 4, *x.shape[1:]), targets)
    outputs = rng.normal(0, 2, (3, 2, 4, 6, 6, 6)).astype(np.float32)
    real = np.ones((2, 4), bool)
    together = jax.jit(jax.vmap(SUMMARISE, (0, None, None)))(outputs, batches, real)
    for subnet in range(3):
        whole = jax.tree.map(lambda x, subnet=subnet: x[subnet], together)
        parts = [
            SUMMARISE(outputs[subnet, [n]], jax.tree.map(lambda x, n=n: x[[n]], batches), real[:1])
            for n in range(2)
        ]
        added = jax.tree.map(np.add, *map(jax.device_get, parts))
        np.testing.assert_array_equal(whole.found, added.found)
        np.testing.assert_array_equal(whole.truth, added.truth)
        np.testing.assert_allclose(detection(2).score(whole), detection(2).score(added), rtol=1e-5)


def test_few_classes_have_many_bins() -> None:
    assert [num_bins(count) for count in (1, 8, 16, 80, 600)] == [4096, 4096, 2048, 512, 512]


@pytest.mark.parametrize(("num_classes", "images"), [(1, 40), (3, 60), (6, 120)])
def test_equals_pycocotools(num_classes: int, images: int) -> None:
    rng = np.random.default_rng(num_classes)
    truth = coco_oracle.random_truth(rng, images, 6, num_classes + 1)
    truth[1][truth[1] == num_classes] = -1
    found = coco_oracle.random_found(rng, truth, num_classes, extra=10)
    expected = coco_oracle.coco_precisions(
        list(zip(*found, strict=True)), list(zip(*truth, strict=True)), num_classes
    )
    judged = jax.jit(jax.vmap(match_boxes))(FoundBoxes(*found), *truth)
    counted = histogram(jnp.asarray(found[2]), jnp.asarray(found[1]), judged, num_classes)
    counts = np.bincount(truth[1][(truth[1] >= 0) & ~truth[2]], minlength=num_classes)
    result = quality(Sums(counted, counts, lesson.LossSums(*np.zeros(4)), images))
    assert 0.1 < np.nanmean(expected) < 0.9
    assert result.ap == pytest.approx(np.nanmean(expected), abs=1e-3)
    assert result.ap50 == pytest.approx(np.nanmean(expected[:, 0]), abs=1.5e-3)
    np.testing.assert_allclose(result.by_class, expected.mean(1), atol=3e-3)
    np.testing.assert_array_equal(np.isnan(result.by_class50), counts == 0)


def test_a_map_that_learns_one_image_finds_all_of_it() -> None:
    targets = truth_of(
        [([0, 0, 1, 1], 0, False), ([0.55, 0.55, 0.7, 0.7], 1, False), ([0.05, 0.6, 0.3, 0.95], 1, False)]
    )
    batch = {name: array[0] for name, array in targets.items()}
    taught = lesson.detection(2)
    dense = taught.encode(batch, (8, 8, 6))
    optimizer = optax.adam(optax.cosine_decay_schedule(0.2, 300))

    def descend(carry: Any, _: None) -> tuple[Any, jax.Array]:
        output, state = carry
        loss, gradient = jax.value_and_grad(taught.loss)(output, dense)
        updates, state = optimizer.update(gradient, state)
        return (output + updates, state), loss

    start = jnp.full((1, 8, 8, 6), -3.0).at[..., 2:].set(0)
    (output, _), losses = jax.jit(lambda *carry: jax.lax.scan(descend, carry, length=300))(
        start, optimizer.init(start)
    )
    assert float(losses[-1]) < 0.1 < 1 < float(losses[0])
    assert float(taught.share(output, batch)) == 1
    result = quality(summed(output[None], targets))
    assert result.ap50 == 1.0
    assert result.ap > 0.9
