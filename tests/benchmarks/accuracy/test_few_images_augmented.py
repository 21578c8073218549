"""What the compared augmentations make of images: each against the plain ones, pixel by pixel."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.accuracy.few_images import augmented as few_images_augmented
from benchmarks.accuracy.few_images.augmented import KINDS, SMOOTHING, augmented

NUM, SIDE = 6, 8


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Inputs and targets by each kind; every image is a class of its own: targets tell the parts."""
    images = np.random.default_rng(0).integers(0, 256, (NUM, SIDE, SIDE, 3), np.uint8)
    found = {}
    for kind in KINDS:
        inputs, target = augmented(
            jax.random.key(4),
            images,
            np.arange(NUM),
            np.full(3, 0.4, np.float32),
            np.full(3, 0.2, np.float32),
            kind=kind,
            resolution=SIDE,
            mirror=True,
            classes=NUM,
        )
        found[kind] = np.asarray(inputs), np.asarray(target)
    return found


def parts(target: np.ndarray) -> np.ndarray:
    """Of each image in each: labels without their smoothing [B, B]."""
    return (target - SMOOTHING / NUM) / (1 - SMOOTHING)


@pytest.mark.parametrize("kind", ["plain", "one change", "erasing"])
def test_labels_stay(made: Any, kind: str) -> None:
    np.testing.assert_allclose(parts(made[kind][1]), np.eye(NUM), atol=1e-6)


def test_mixup_mixes_images_as_labels(made: Any) -> None:
    inputs, target = made["mixup"]
    share = parts(target)
    assert 0.01 < share.max(1).min() < 0.99
    np.testing.assert_allclose(inputs, np.einsum("ij,jhwc->ihwc", share, made["plain"][0]), atol=1e-5)


def test_cutmix_takes_as_many_pixels_as_the_label_says() -> None:
    plain = jnp.arange(NUM, dtype=jnp.float32)[:, None, None, None] * jnp.ones((NUM, 16, 16, 1))
    taken = []
    for seed in range(20):
        inputs, target = few_images_augmented.cut_and_mixed(jax.random.key(seed), plain, jnp.eye(NUM))
        shares = np.stack([np.mean(np.asarray(inputs) == n, (1, 2, 3)) for n in range(NUM)], 1)
        np.testing.assert_allclose(shares, target, atol=1e-6)
        taken.append(1 - float(np.mean(np.diag(shares))))
    assert 4 <= sum(share == 0 for share in taken) <= 16
    assert max(taken) > 0.25


def test_erasing_makes_a_rectangle_noise(made: Any) -> None:
    changed = np.any(np.abs(made["erasing"][0] - made["plain"][0]) > 1e-4, axis=3)
    assert 0 < changed.any((1, 2)).sum() < NUM
    for image in changed[changed.any((1, 2))]:
        rows, columns = image.any(1), image.any(0)
        assert np.array_equal(image, rows[:, None] & columns[None, :])


def test_images_are_moved_about_their_middle() -> None:
    image = jnp.asarray(np.random.default_rng(0).random((SIDE, SIDE, 2)), jnp.float32)
    still = jnp.zeros(2)

    def moved(turn: float = 0.0, shear: Any = still, shift: Any = still) -> np.ndarray:
        return np.asarray(few_images_augmented._moved(image, jnp.float32(turn), shear, shift))

    np.testing.assert_allclose(moved(), image, atol=1e-6)
    np.testing.assert_allclose(moved(turn=np.pi / 2), np.rot90(image), atol=1e-5)
    np.testing.assert_allclose(moved(shift=jnp.array([0.25, 0.0]))[:, :-2], image[:, 2:], atol=1e-5)
    sheared = moved(shear=jnp.array([1.0, 0.0]))  # a row goes aside as far as it is from the middle
    np.testing.assert_allclose(sheared[4, :-1], (image[4, :-1] + image[4, 1:]) / 2, atol=1e-5)


def test_one_change_is_one(made: Any) -> None:
    pixels = made["plain"][0] * 0.2 + 0.4
    changed = made["one change"][0] * 0.2 + 0.4
    assert changed.min() > -1e-6
    assert changed.max() < 1 + 1e-6
    assert not np.allclose(changed, pixels, atol=0.05)
