"""Mean intersection over union, and the jackknife, by hand."""

import numpy as np
import pytest

from hytnas_jax.quality.jackknife import standard_deviations
from hytnas_jax.quality.mean_iou import confusions, mean_iou, miou_by_image, pixel_counts

TRUTH = np.array([[0, 0, 1], [1, 255, 255]], np.uint8)
FOUND = np.array([[0, 2, 1], [1, 0, 1]])


def test_by_hand() -> None:
    counts = pixel_counts(FOUND, TRUTH, 3)
    np.testing.assert_array_equal(counts, [[1, 0, 1], [0, 2, 0], [0, 0, 0]])
    result = mean_iou(np.stack([counts, np.zeros((3, 3), int)]))
    np.testing.assert_allclose(result.by_class, [0.5, 1, np.nan])
    assert result.miou == 0.75
    assert result.accuracy == 0.75


def test_images_and_confusions_by_hand() -> None:
    """Of the first class 8 pixels, 3 of them named as the second and 1 as the third; then an empty image."""
    counts = np.zeros((3, 3, 3), int)
    counts[0] = [[4, 3, 1], [2, 2, 0], [0, 0, 0]]
    counts[2, 1, 1] = 4
    np.testing.assert_allclose(miou_by_image(counts), [(4 / 10 + 2 / 7) / 2, np.nan, 1])
    told = [tuple(each.values()) for each in confusions(counts)]
    assert told == [(0, 1, 3, 3 / 8), (1, 0, 2, 2 / 8), (0, 2, 1, 1 / 8)]
    assert [each["pixels"] for each in confusions(counts, 1)] == [3]
    assert confusions(counts[1:]) == []


def test_all_ignored() -> None:
    result = mean_iou(pixel_counts(FOUND, np.full_like(TRUTH, 255), 3)[None])
    assert np.isnan([result.miou, result.accuracy, result.deviation]).all()


@pytest.mark.parametrize(
    ("found", "truth", "message"),
    [
        (FOUND[:1], TRUTH, r"the mask found is \(1, 3\), the true one \(2, 3\)"),
        (FOUND, TRUTH + 2, "truth has classes up to 3: must be below 3"),
        (FOUND + 1, TRUTH, "found has classes up to 3: must be below 3"),
    ],
)
def test_wrong_masks_are_refused(found: np.ndarray, truth: np.ndarray, message: str) -> None:
    truth = np.where(TRUTH == 255, 255, truth) if truth.shape == TRUTH.shape else truth
    with pytest.raises(ValueError, match=message):
        pixel_counts(found, truth, 3)


def test_of_a_mean_the_deviation_is_the_textbooks() -> None:
    """Of 20 numbers, each a group of its own: s / sqrt(n)."""
    values = np.random.default_rng(0).standard_normal(20)
    (deviation,) = standard_deviations(20, lambda images: [values[images].mean()])
    assert deviation == pytest.approx(values.std(ddof=1) / np.sqrt(20))


def test_groups_are_neighbours() -> None:
    left_out: list[list[int]] = []

    def values_of(images: np.ndarray) -> list[float]:
        left_out.append(np.setdiff1d(np.arange(45), images).tolist())
        return [0.0]

    assert standard_deviations(45, values_of).tolist() == [0.0]
    assert len(left_out) == 20
    assert left_out[0] == [0, 1, 2]
    assert [image for group in left_out for image in group] == list(range(45))


def test_one_image_has_no_deviation() -> None:
    assert np.isnan(standard_deviations(1, lambda images: [1.0, 2.0])).tolist() == [True, True]


def test_the_deviation_of_a_miou() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (200, 50))
    found = np.where(rng.random((200, 50)) < 0.9, truth, 1 - truth)
    counts = np.stack([pixel_counts(f, t, 2) for f, t in zip(found, truth, strict=True)])
    result = mean_iou(counts)
    wrong = 1 - result.accuracy
    # IoU is (1 - e) / (1 + e) of an error e over 10,000 pixels.
    expected = 2 / (1 + wrong) ** 2 * np.sqrt(wrong * (1 - wrong) / 10_000)
    assert result.miou == pytest.approx((1 - wrong) / (1 + wrong), abs=0.01)
    assert result.deviation == pytest.approx(expected, rel=0.5)
