"""Copies: exact, compressed again, mirrored; and what must not be taken for one."""

import numpy as np
import pytest
from photographs import photographs, recompressed
from PIL import Image

from hytnas_jax.data import load_dataset
from hytnas_jax.data.copies import Pairs, find_copies
from hytnas_jax.data.copy_marks import marks_of
from hytnas_jax.data.digest import digest_images


def find(*parts: np.ndarray, side: int | None = None, apart: list[int] | None = None) -> Pairs:
    num = sum(map(len, parts))
    return find_copies(
        parts,
        [digest_images(part) for part in parts],
        [marks_of(part, near=True) for part in parts],
        side=side or parts[0].shape[1],
        apart=np.array(apart or [0] * num),
    )


def found(pairs: Pairs) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}


def loaded(images: np.ndarray, *, side: int) -> np.ndarray:
    """As loading makes them smaller."""
    return np.array(
        [Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR) for image in images]
    )


@pytest.mark.parametrize("side", [16, 23, 64])
def test_exact_near_and_mirrored_copies(side: int) -> None:
    originals = photographs(30)
    copies = [originals[3], originals[4][:, ::-1]]
    copies += [recompressed(originals[5]), recompressed(originals[6][:, ::-1])]
    pairs = find(*(loaded(images, side=side) for images in (originals, np.array(copies))), side=64)
    assert found(pairs) == {(3, 30), (4, 31), (5, 32), (6, 33)}
    mirrored = {max(a, b) for a, b, m in zip(pairs.first, pairs.second, pairs.mirrored, strict=True) if m}
    assert mirrored == {31, 33}


def test_nearly_all_that_are_compressed_again_are_found() -> None:
    originals = photographs(200)
    again = np.array([recompressed(image[:, ::-1]) for image in originals])
    both = found(find(originals, again))
    assert both <= {(n, n + 200) for n in range(200)}
    assert len(both) >= 190


def test_grey_images() -> None:
    originals = photographs(20)[..., 1:2]
    assert found(find(originals, originals[7:8, :, ::-1] + (originals[7:8, :, ::-1] < 255))) == {(7, 20)}


def test_a_image_of_224_pixels() -> None:
    originals = photographs(6, side=224)
    assert found(find(originals, recompressed(originals[2][:, ::-1])[None])) == {(2, 6)}


def test_the_digits_are_no_copies_of_one_another() -> None:
    data = load_dataset("digits", side=None)
    assert found(find(data.train.images, data.validation.images, data.test.images)) == set()
    enlarged = load_dataset("digits", side=32, max_images=800)
    assert found(find(enlarged.train.images, side=8)) == set()
    assert (data.kept_together, data.remarks) == (0, ())


def test_tiny_images_are_copies_to_the_last_pixel_only() -> None:
    originals = photographs(40, side=8)
    nearly = originals[:1] ^ 1
    assert found(find(originals, nearly, originals[5:6, :, ::-1], originals[9:10])) == {(5, 41), (9, 42)}


def test_images_without_features_are_near_copies_of_nothing() -> None:
    """Flat ones, with noise or a slight gradient: their hashes are accidents."""
    rng = np.random.default_rng(0)
    flat = np.full((50, 32, 32, 3), 128, np.uint8) + rng.integers(0, 3, (50, 32, 32, 3), np.uint8)
    flat[:25] += np.arange(32, dtype=np.uint8)[:, None] // 8
    assert found(find(flat)) == set()
    black = np.zeros((30, 32, 32, 3), np.uint8)
    assert found(find(black)) == {(0, n) for n in range(1, 30)}  # equal to the last pixel


def test_different_images_with_the_same_hash() -> None:
    """The same rows of light and dark, in other colours."""
    stripes = np.zeros((40, 32, 32, 3), np.uint8)
    stripes += np.linspace(10, 90, 32).astype(np.uint8)[:, None]
    stripes += np.arange(40, dtype=np.uint8)[:, None, None, None]
    assert found(find(stripes[::4])) == set()  # four grey levels apart
    assert len(found(find(stripes))) > 0  # one apart


def test_in_splits_that_are_apart_only_copies_across_are_looked_for() -> None:
    originals = photographs(5)
    again = np.array([recompressed(image) for image in originals])
    inside = find(np.concatenate([originals, again]), again[:1], apart=[1] * 10 + [2])
    assert {pair for pair in found(inside) if pair[1] < 10} == set()
    assert (0, 10) in found(inside)
    assert (5, 10) in found(inside)


def test_groups_join_copies_of_copies() -> None:
    pairs = Pairs(np.array([0, 1, 4]), np.array([1, 2, 5]), np.zeros(3, bool))
    groups = pairs.groups(7)
    assert groups[0] == groups[1] == groups[2] != groups[3]
    assert groups[4] == groups[5]
    assert len(set(groups.tolist())) == 4
