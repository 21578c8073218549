"""Average precision by hand and by pycocotools."""

import coco_oracle
import numpy as np
import pytest

from hytnas_jax.quality.average_precision import Found, Truth, average_precision

LEFT, RIGHT = [0, 0, 0.5, 1], [0.5, 0, 1, 1]


def found_of(*boxes: tuple[list[float], float, int]) -> Found:
    return Found(
        np.array([box for box, *_ in boxes], float).reshape(-1, 4),
        np.array([score for _, score, _ in boxes], float),
        np.array([label for *_, label in boxes], int),
    )


def truth_of(*boxes: tuple[list[float], int, bool]) -> Truth:
    return Truth(
        np.array([box for box, *_ in boxes], float).reshape(-1, 4),
        np.array([label for _, label, _ in boxes], int),
        np.array([crowd for *_, crowd in boxes], bool),
    )


def test_by_hand() -> None:
    """Of two objects the best and the third box are right; then an empty image with a mistake below both."""
    found = [found_of((LEFT, 0.9, 0), (LEFT, 0.8, 0), (RIGHT, 0.7, 0)), found_of((LEFT, 0.1, 0))]
    truth = [truth_of((LEFT, 0, False), (RIGHT, 0, False)), truth_of()]
    result = average_precision(found, truth, 2)
    assert result.ap == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert result.ap50 == pytest.approx(result.ap)
    assert np.isnan(result.by_class[1])
    assert np.isnan(result.by_class50[1])


def test_an_ignored_box_is_neither_right_nor_wrong() -> None:
    found = [found_of((LEFT, 0.9, 0), (LEFT, 0.8, 0), (RIGHT, 0.7, 0), (RIGHT, 0.7, -1))]
    truth = [truth_of((LEFT, 0, True), (RIGHT, 0, False), (RIGHT, -1, False))]
    assert average_precision(found, truth, 1).ap == pytest.approx(1)


def test_nothing_found_and_nothing_to_find() -> None:
    some, none = truth_of((LEFT, 0, False)), truth_of()
    assert average_precision([found_of()], [some], 1).ap == 0
    assert np.isnan(average_precision([found_of((LEFT, 0.9, 0))], [none], 1).ap)
    assert np.isnan(average_precision([found_of()], [some], 1).ap_deviation)  # of one image


def test_equals_pycocotools() -> None:
    rng = np.random.default_rng(5)
    truth = coco_oracle.random_truth(rng, 60, 6, 4)
    found = coco_oracle.random_found(rng, truth, 4, extra=10)
    lists = [list(zip(*arrays, strict=True)) for arrays in (found, truth)]
    expected = coco_oracle.coco_precisions(*lists, 4)
    result = average_precision(
        [Found(*image) for image in lists[0]], [Truth(*image) for image in lists[1]], 4
    )
    np.testing.assert_allclose(result.by_class, expected.mean(1), atol=1e-6)
    np.testing.assert_allclose(result.by_class50, expected[:, 0], atol=1e-6)
    assert result.ap == pytest.approx(expected.mean(), abs=1e-6)


def test_the_deviation_is_that_of_drawn_sets_of_images() -> None:
    """Of AP50 on 30 sets of 60 images: within a half of what the jackknife says of one."""
    values, deviations = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        truth = coco_oracle.random_truth(rng, 60, 3, 1)
        found = coco_oracle.random_found(rng, truth, 1, extra=3)
        result = average_precision(
            [Found(*image) for image in zip(*found, strict=True)],
            [Truth(*image) for image in zip(*truth, strict=True)],
            1,
        )
        values.append(result.ap50)
        deviations.append(result.ap50_deviation)
    assert np.median(deviations) == pytest.approx(np.std(values), rel=0.5)


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="found is of 1 images, truth of 0"):
        average_precision([found_of()], [], 1)
