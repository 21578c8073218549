"""Copies in two splits: kept together where splits are carved, warned of where the user made the splits."""

import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from photographs import photographs
from PIL import Image, ImageOps

from hytnas_jax.data import Dataset, load_dataset

Save = Callable[[str, np.ndarray], None]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """save("train/cat/3.jpg", pixels) in tmp_path."""

    def save_one(name: str, image: np.ndarray) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, quality=92)

    return save_one


def splits_of(data: Dataset) -> dict[str, set[str]]:
    """For each original (the file's stem without its last letter) the splits that its copies are in."""
    found = defaultdict(set)
    for split, files in data.files.items():
        for file in files:
            found[Path(file).stem[:-1]].add(split)
    return found


def test_copies_stay_in_one_of_the_carved_splits(tmp_path: Path, save: Save) -> None:
    for label, seed in (("cat", 1), ("dog", 2)):
        for number, image in enumerate(photographs(60, seed=seed)):
            save(f"{label}/{label}{number}a.jpg", image)
            if number % 2:
                mirrored = ImageOps.mirror(Image.open(tmp_path / f"{label}/{label}{number}a.jpg"))
                save(f"{label}/{label}{number}b.jpg", np.asarray(mirrored))
            if number % 5 == 0:
                save(f"{label}/{label}{number}c.png", image)
    data = load_dataset(str(tmp_path), side=32)
    splits = splits_of(data)
    assert len(splits) == 120
    assert [name for name, where in splits.items() if len(where) > 1] == []
    sizes = [len(split) for split in (data.train, data.validation, data.test)]
    assert sum(sizes) == 204
    np.testing.assert_allclose(sizes, (122, 41, 41), atol=3)
    for split in (data.train, data.validation, data.test):
        np.testing.assert_allclose(np.bincount(split.labels), len(split) / 2, atol=3)
    assert 40 < data.kept_together < 150
    assert data.remarks == ()
    # Rows, names, labels and digests have moved together, and a second time they do so again.
    again = load_dataset(str(tmp_path), side=32, remark=False)
    assert again.files == data.files
    for split, files in data.files.items():
        images = getattr(data, split)
        assert data.content[split].is_same(again.content[split])
        assert list(files) == sorted(files)
        assert [Path(file).parts[0] for file in files] == [data.class_names[n] for n in images.labels]
        alone = Image.open(tmp_path / files[-1]).resize((32, 32), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(images.images[-1], alone, atol=3)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"seed": 0},
            {
                "train": (1079, [2, 3, 4, 7, 8], 321631042),
                "validation": (359, [5, 9, 12, 14, 16], 2688102977),
                "test": (359, [0, 1, 6, 10, 11], 2736986756),
            },
        ),
        (
            {"seed": 3, "max_images": 300},
            {
                "train": (300, [0, 1, 2, 3, 4], 2234651938),
                "validation": (100, [13, 53, 56, 66, 68], 610864055),
                "test": (100, [24, 27, 31, 35, 61], 407921024),
            },
        ),
    ],
)
def test_a_source_without_copies_is_carved_as_ever(options: dict, expected: dict) -> None:
    """The digits as they were drawn before copies were looked for: how many, the first, and all as a CRC."""
    data = load_dataset("digits", side=8, **options)
    for split, (count, first, checksum) in expected.items():
        numbers = np.array([int(name[len("digits[") : -1]) for name in data.files[split]], "<i4")
        assert (len(numbers), numbers[:5].tolist(), zlib.crc32(numbers.tobytes())) == (count, first, checksum)


def test_copies_in_the_users_own_splits_are_counted(tmp_path: Path, save: Save) -> None:
    images = photographs(60)
    for number, image in enumerate(images):
        split = ("train", "train", "val", "test")[number % 4]
        save(f"{split}/{'cat' if number < 30 else 'dog'}/{number:02}.png", image)
    save("test/cat/exact.png", images[0])
    save("test/cat/mirrored.png", images[1][:, ::-1])
    save("test/dog/recompressed.jpg", images[37])
    save("val/dog/exact.png", images[36])
    save("train/dog/many.png", images[32])  # copies inside a split are the user's business
    save("train/dog/more.jpg", images[32])
    data = load_dataset(str(tmp_path), side=48)
    assert data.kept_together == 0
    assert data.remarks == (
        "3 of 18 test images are copies of train images (1 to the last pixel, 2 nearly or mirrored), "
        "e.g. test/cat/exact.png and train/cat/00.png: errors on the test split will be too good; remove "
        "them from one of the two",
        "1 of 16 validation images is a copy of a train image (1 to the last pixel, 0 nearly or mirrored), "
        "e.g. val/dog/exact.png and train/dog/36.png: errors on the validation split will be too good; "
        "remove them from one of the two",
    )
    assert load_dataset(str(tmp_path), side=48, remark=False).remarks == ()


def test_a_image_under_two_labels_is_named(tmp_path: Path, save: Save) -> None:
    for label, seed in (("cat", 1), ("dog", 2)):
        for number, image in enumerate(photographs(10, seed=seed)):
            save(f"{label}/{number}.png", image)
    save("dog/x.png", photographs(10, seed=1)[4])
    save("dog/y.png", photographs(10, seed=1)[5][:, ::-1])  # mirrored, it may show another class
    data = load_dataset(str(tmp_path), side=24)
    assert data.remarks == (
        "2 images are there under more than one label, e.g. cat/4.png ('cat') and dog/x.png ('dog'), equal "
        "to the last pixel: remove those under the wrong one",
    )


def test_copies_that_cannot_be_kept_together_are_warned_of(tmp_path: Path, save: Save) -> None:
    for number, image in enumerate(photographs(20)):
        save(f"cat/{number}.png", image)
        save(f"dog/{number}.png", photographs(1, seed=9)[0])
    data = load_dataset(str(tmp_path), side=24)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [24, 8, 8]
    assert len(data.remarks) == 3
    assert data.remarks[0].startswith("4 of 8 test images are copies of train images (4 to the last pixel")
    assert data.remarks[0].endswith(
        "a class has too few different images to keep copies in one split: add some"
    )


def test_tiny_images_are_kept_together_too(tmp_path: Path) -> None:
    images = photographs(30, side=8)
    both = np.concatenate([images, images[:, :, ::-1]])
    np.savez(tmp_path / "tiny.npz", images=both, labels=np.arange(60) % 2)
    data = load_dataset(str(tmp_path / "tiny.npz"), side=None)
    numbers = {split: {int(name[7:-1]) % 30 for name in files} for split, files in data.files.items()}
    assert not numbers["train"] & numbers["test"]
    assert not numbers["train"] & numbers["validation"]
    assert not numbers["validation"] & numbers["test"]
    assert data.kept_together > 0
