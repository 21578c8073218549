"""The lesson of detection, by hand."""

import jax
import numpy as np
import pytest

from supernet.errors import UserError
from supernet.tasks import detection as module
from supernet.tasks.detection import LossSums, detection, mean_loss

# One program each: operations one by one would be compiled one by one.
encode = jax.jit(module.encode, static_argnums=1)
image_losses = jax.jit(module.image_losses)

BIG, SMALL = [0.0, 0.0, 1.0, 1.0], [0.55, 0.55, 0.7, 0.7]  # their centres: cells (4, 4) and (5, 5) of 8


def targets(*objects: tuple[list[float], int], ignored: tuple[int, ...] = (), most: int = 4) -> dict:
    """One image; `ignored` are indices of its objects."""
    made = {
        "boxes": np.zeros((1, most, 4), np.float32),
        "classes": np.full((1, most), -1, np.int32),
        "ignored": np.zeros((1, most), bool),
    }
    for index, (box, label) in enumerate(objects):
        made["boxes"][0, index], made["classes"][0, index] = box, label
    made["ignored"][0, list(ignored)] = True
    return made


def perfect(dense: object, confidence: float = 9.0) -> np.ndarray:
    """An output that says what the dense targets of one image are."""
    logits = np.where(dense.centre, confidence, -confidence)
    height, width = dense.weight.shape[1:]
    y, x = np.mgrid[:height, :width] + 0.5
    left, top, right, bottom = np.moveaxis(np.asarray(dense.boxes), -1, 0)
    sides = np.stack([x - left * width, y - top * height, right * width - x, bottom * height - y], -1)
    return np.concatenate([logits, np.log(np.maximum(sides, 1e-3))], -1).astype(np.float32)


def test_one_box() -> None:
    dense = encode(targets((BIG, 1)), (8, 8, 6))
    assert np.argwhere(dense.centre).tolist() == [[0, 4, 4, 1]]
    assert dense.counted.all()
    assert float(dense.heat[0, 4, 4, 1]) == 1
    # The core is 0.54 / 2 of 8 cells to each side: 2, so that a Gaussian deviates by 5 / 6 of a cell.
    assert float(dense.heat[0, 4, 5, 1]) == pytest.approx(np.exp(-0.5 * (6 / 5) ** 2), rel=1e-5)
    assert dense.heat[..., 0].max() == 0
    rows, columns = np.nonzero(dense.weight[0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 2, 6)
    assert float(dense.weight.sum()) == pytest.approx(np.log(64 * 64), rel=1e-5)
    np.testing.assert_array_equal(dense.boxes[0, 3, 3], BIG)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("label", [0, 1])
def test_a_cell_belongs_to_the_smallest_box(order: tuple[int, int], label: int) -> None:
    objects = [(BIG, 0), (SMALL, label)]
    dense = encode(targets(*(objects[index] for index in order)), (8, 8, 6))
    np.testing.assert_allclose(dense.boxes[0, 5, 5], SMALL)
    np.testing.assert_allclose(dense.boxes[0, 4, 5], BIG)
    assert bool(dense.centre[0, 5, 5, label])
    assert bool(dense.centre[0, 4, 4, 0])
    assert int(dense.centre.sum()) == 2
    # A Gaussian of its own class may be above that of another box.
    assert float(dense.heat[0, 5, 5, 0]) == (1 if label == 0 else pytest.approx(np.exp(-1.44), rel=1e-5))


def test_two_boxes_with_the_same_centre_are_one_centre() -> None:
    dense = encode(targets((BIG, 0), ([0.4, 0.4, 0.7, 0.7], 0)), (8, 8, 6))
    assert int(dense.centre.sum()) == 1
    np.testing.assert_allclose(dense.boxes[0, 4, 4], [0.4, 0.4, 0.7, 0.7])


def test_an_ignored_box_is_no_object_and_no_mistake() -> None:
    dense = encode(targets(([0, 0, 0.5, 0.5], 0), (SMALL, 0), ignored=(0,)), (8, 8, 6))
    expected = np.ones((8, 8), bool)
    expected[:4, :4] = False
    np.testing.assert_array_equal(dense.counted[0, :, :, 0][:4, :4], expected[:4, :4])
    assert dense.counted[0, 5:, 5:].all()
    assert dense.counted[..., 1].all()  # another class is a mistake there
    assert np.argwhere(dense.centre).tolist() == [[0, 5, 5, 0]]
    output = np.zeros((1, 8, 8, 6), np.float32)
    gradient = jax.jit(jax.grad(lambda x: detection(2).loss(x, dense)))(output)
    assert np.abs(gradient[0, :4, :4, 0]).max() == 0
    assert np.abs(gradient[0, :4, :4, 1]).min() > 0


def test_an_object_inside_an_ignored_box_is_learnt() -> None:
    dense = encode(targets((BIG, 0), (SMALL, 0), ignored=(0,)), (8, 8, 5))
    gradient = jax.jit(jax.grad(lambda x: detection(1).loss(x, dense)))(np.zeros((1, 8, 8, 5), np.float32))
    assert np.argwhere(gradient[..., 0]).tolist() == [[0, 5, 5]]


def test_an_ignored_box_smaller_than_a_cell_has_its_cell() -> None:
    dense = encode(targets(([0.51, 0.51, 0.52, 0.52], 0), ignored=(0,)), (8, 8, 5))
    assert np.argwhere(~dense.counted).tolist() == [[0, 4, 4, 0]]


def test_an_empty_image_teaches_that_nothing_is_there() -> None:
    lesson = detection(2)
    dense = encode(targets(), (8, 8, 6))
    output = np.zeros((1, 8, 8, 6), np.float32)
    loss, gradient = jax.jit(jax.value_and_grad(lesson.loss))(output, dense)
    assert float(loss) == pytest.approx(8 * 8 * 2 * 0.25 * np.log(2), rel=1e-5)
    assert np.isfinite(gradient).all()
    assert (gradient[..., :2] > 0).all()
    assert np.abs(gradient[..., 2:]).max() == 0
    assert float(jax.jit(lesson.share)(output, targets())) == 0


def test_the_loss_by_hand() -> None:
    """One cell, one object of the first of two classes, and a box half as wide as it should be."""
    dense = encode(targets((BIG, 0)), (1, 1, 6))
    logits = np.array([np.log(3), 0], np.float32)  # 0.75 and 0.5
    raw = np.log(np.array([0.25, 0.5, 0.25, 0.5], np.float32))
    output = np.concatenate([logits, raw])[None, None, None]
    heat = 0.25**2 * -np.log(0.75) + 0.5**2 * -np.log(0.5)
    for box_weight in (1.0, 5.0):
        loss = jax.jit(detection(2, box_weight=box_weight).loss)(output, dense)
        assert float(loss) == pytest.approx(heat + box_weight * (1 - 0.5), rel=1e-5)


def test_near_a_centre_a_mistake_is_small() -> None:
    dense = encode(targets((BIG, 0)), (8, 8, 5))
    gradient = jax.jit(jax.grad(lambda x: detection(1).loss(x, dense)))(np.zeros((1, 8, 8, 5), np.float32))[
        0, ..., 0
    ]
    assert float(gradient[4, 4]) < 0 < float(gradient[4, 5]) < float(gradient[4, 7])
    spared = (1 - float(dense.heat[0, 4, 5, 0])) ** 4
    assert float(gradient[4, 5] / gradient[4, 7]) == pytest.approx(spared, rel=1e-4)


def test_the_first_teaches_its_heat_map_and_no_boxes() -> None:
    dense = encode(targets((BIG, 1)), (8, 8, 6))
    output = np.random.default_rng(0).standard_normal((1, 8, 8, 6)).astype(np.float32)
    for share in (0.0, 0.5, 1.0):
        taught = detection(2, teacher_share=share).teach(output, dense)
        expected = (1 - share) * dense.heat + share / (1 + np.exp(-output[..., :2]))
        np.testing.assert_allclose(taught.heat, expected, rtol=1e-5, atol=1e-7)
        for name in ("centre", "counted", "boxes", "weight"):
            assert getattr(taught, name) is getattr(dense, name)


def test_a_teacher_that_sees_nothing_leaves_the_truth_its_share() -> None:
    """Or the subnets would learn from it that nothing is anywhere."""
    lesson = detection(1)
    taught = jax.jit(lesson.teach)(
        np.full((1, 8, 8, 5), -9, np.float32), encode(targets((BIG, 0)), (8, 8, 5))
    )
    gradient = jax.jit(jax.grad(lesson.loss))(np.full((1, 8, 8, 5), -3, np.float32), taught)
    assert float(gradient[0, 4, 4, 0]) < -0.4
    assert float(np.abs(gradient[..., 0]).sum()) < 2 * abs(float(gradient[0, 4, 4, 0]))


def test_the_share_of_objects_that_are_right() -> None:
    truth = targets((BIG, 0), (SMALL, 1), ([0, 0, 0.1, 0.1], 1), ignored=(2,))
    output = perfect(encode(truth, (8, 8, 6)))
    share = jax.jit(detection(2).share)
    assert float(share(output, truth)) == 1
    wrong_class = output.copy()
    wrong_class[0, 5, 5, :2] = [1, 0]
    assert float(share(wrong_class, truth)) == 0.5
    wrong_box = output.copy()
    wrong_box[0, 4, 4, 2:] -= 1
    assert float(share(wrong_box, truth)) == 0.5


def test_losses_of_images_add_up() -> None:
    truth = targets((BIG, 0), (SMALL, 1))
    both = jax.tree.map(lambda x, y: np.concatenate([x, y]), truth, targets())
    dense = encode(both, (8, 8, 6))
    output = np.random.default_rng(0).standard_normal((2, 8, 8, 6)).astype(np.float32)
    losses = jax.tree.map(np.asarray, image_losses(output, dense))
    assert [part.shape for part in losses] == [(2,)] * 4
    total = mean_loss(LossSums(*(part.sum() for part in losses)))
    assert isinstance(total, np.floating)
    assert float(total) == pytest.approx(float(jax.jit(detection(2).loss)(output, dense)), rel=1e-6)


def test_against_a_loop_over_boxes() -> None:
    """What `encode` does without one, for twenty random objects of three classes."""
    rng = np.random.default_rng(3)
    low = rng.random((20, 2)) * 0.8
    boxes = np.concatenate([low, low + rng.random((20, 2)) * (1 - low)], -1).astype(np.float32)
    classes = rng.integers(-1, 3, 20)
    dense = encode(
        {"boxes": boxes[None], "classes": classes[None], "ignored": np.zeros((1, 20), bool)}, (7, 9, 7)
    )
    heat, owner, weight = np.zeros((7, 9, 3)), np.full((7, 9), -1), np.zeros((7, 9))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index in np.argsort(-areas, kind="stable"):
        if classes[index] < 0:
            continue
        left, top, right, bottom = boxes[index] * [9, 7, 9, 7]
        column, row = int((left + right) / 2), int((top + bottom) / 2)
        wide, high = int(0.27 * (right - left)), int(0.27 * (bottom - top))
        spot = np.zeros((7, 9))
        for y in range(max(0, row - high), min(7, row + high + 1)):
            for x in range(max(0, column - wide), min(9, column + wide + 1)):
                spot[y, x] = np.exp(
                    -((x - column) ** 2) / 2 / ((2 * wide + 1) / 6) ** 2
                    - (y - row) ** 2 / 2 / ((2 * high + 1) / 6) ** 2
                )
        heat[..., classes[index]] = np.maximum(heat[..., classes[index]], spot)
        owner[spot > 0] = index
        worth = max(1, np.log(areas[index] * 63 * 64)) * spot / spot.sum()
        weight[spot > 0] = worth[spot > 0]
    np.testing.assert_allclose(dense.heat[0], heat, atol=1e-5)
    np.testing.assert_allclose(dense.weight[0], weight, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(dense.boxes[0][owner >= 0], boxes[owner[owner >= 0]])


def test_compiles_for_many_subnets() -> None:
    lesson = detection(3)
    both = jax.tree.map(lambda *x: np.concatenate(x), targets((BIG, 2)), targets())
    outputs = np.random.default_rng(0).standard_normal((4, 2, 8, 8, 7)).astype(np.float32)

    @jax.jit
    def losses_and_shares(outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        dense = lesson.encode(both, (8, 8, 7))
        taught = jax.vmap(lesson.teach, (0, None))(outputs, dense)
        return jax.vmap(lesson.loss)(outputs, taught), jax.vmap(lesson.share, (0, None))(outputs, both)

    losses, shares = losses_and_shares(outputs)
    assert losses.shape == shares.shape == (4,)
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("value", [-9.0, 9.0, 60.0, -60.0])
def test_gradients_are_finite(value: float) -> None:
    dense = encode(targets((BIG, 0), ([0.3, 0.3, 0.3, 0.3], 0), (BIG, 0), ignored=(2,)), (8, 8, 5))
    gradient = jax.jit(jax.grad(lambda x: detection(1).loss(x, dense)))(
        np.full((1, 8, 8, 5), value, np.float32)
    )
    assert np.isfinite(gradient).all()


def test_the_same_arguments_are_the_same_lesson() -> None:
    assert detection(3) is detection(3, teacher_share=0.5, box_weight=5)
    assert detection(3) is not detection(3, teacher_share=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0: detection needs at least 1 class"),
        ({"num_classes": 1, "teacher_share": 1.5}, "teacher_share=1.5: must be between 0 and 1"),
        ({"num_classes": 1, "box_weight": -1.0}, "box_weight=-1.0: must be a number above 0"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        detection(**arguments)
