"""Folders: both layouts, and everything that a user's folder may get wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data import load_dataset, picture_side
from hytnas_jax.data.folder import FolderSource
from supernet.errors import UserError

SavePictures = Callable[..., Path]


def test_split_layout_uses_the_stored_splits(save_pictures: SavePictures) -> None:
    for split, count in (("train", 6), ("valid", 3), ("test", 2)):
        root = save_pictures(f"{split}/cat", count)
        save_pictures(f"{split}/dog", count)
    data = load_dataset(str(root), side=4)
    assert data.class_names == ("cat", "dog")
    assert [len(part) for part in (data.train, data.search, data.test)] == [12, 6, 4]
    assert data.train.images.shape == (12, 4, 4, 3)
    np.testing.assert_array_equal(data.train.labels, [0] * 6 + [1] * 6)
    np.testing.assert_array_equal(data.train.images[5, 0, 0], (50, 20, 200))
    assert data.files["test"][0] == "test/cat/000.png"
    assert data.native_side == 8


def test_flat_layout_is_carved(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 10)
    save_pictures("dog", 5)
    data = load_dataset(str(root), side=4)
    assert [len(part) for part in (data.train, data.search, data.test)] == [9, 3, 3]
    files = [file for split in data.files.values() for file in split]
    assert len(set(files)) == 15


def test_a_class_may_be_called_train(save_pictures: SavePictures) -> None:
    for name in ("bus", "car", "train"):
        root = save_pictures(name, 4)
    assert FolderSource(root).class_names == ("bus", "car", "train")


def test_other_files_are_ignored(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 3)
    save_pictures("dog", 3)
    (root / "cat" / "notes.txt").write_text("x")
    (root / "cat" / "._000.png").write_text("x")
    (root / ".cache").mkdir()
    (root / "__MACOSX").mkdir()
    (root / "cat" / "000.png").rename(root / "cat" / "000.PNG")
    assert FolderSource(root).sizes == {"train": 6}


def test_native_side_is_the_median_of_the_shorter_sides(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 3, size=(40, 30))
    save_pictures("dog", 2, size=(5, 90))
    (root / "dog" / "broken.png").write_bytes(b"no picture")
    assert picture_side(str(root)) == 30


def test_corrupt_picture_is_named(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 5)
    save_pictures("dog", 5)
    (root / "dog" / "002.png").write_bytes((root / "dog" / "001.png").read_bytes()[:40])
    with pytest.raises(UserError, match=r"dog/002\.png cannot be read.*skip_corrupt"):
        load_dataset(str(root), side=4)
    with pytest.warns(UserWarning, match=r"skipped 1 picture.*dog/002\.png"):
        data = load_dataset(str(root), side=4, skip_corrupt=True)
    assert data.skipped == ("dog/002.png",)
    files = [file for split in data.files.values() for file in split]
    assert len(files) == 9
    assert "dog/002.png" not in files
    assert len(data.train) == len(data.files["train"])


def test_skipping_may_not_empty_a_class(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 5)
    save_pictures("dog", 3)
    for file in (root / "dog").iterdir():
        file.write_bytes(b"no picture")
    with (
        pytest.warns(UserWarning, match="skipped 3 picture"),
        pytest.raises(UserError, match="class 'dog' has 0 pictures in the train split"),
    ):
        load_dataset(str(root), side=4, skip_corrupt=True)


def test_only_corrupt_pictures(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 2)
    save_pictures("dog", 2)
    for file in root.glob("*/*.png"):
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"not one of the 4 pictures.*cat/000\.png"):
        picture_side(str(root))


def test_empty_class_folder_is_named(save_pictures: SavePictures) -> None:
    root = save_pictures("train/cat", 3)
    save_pictures("train/dog", 0)
    with pytest.raises(UserError, match="class 'dog' has no pictures"):
        FolderSource(root)


def test_one_class_only(save_pictures: SavePictures) -> None:
    root = save_pictures("train/cat", 3)
    with pytest.raises(UserError, match=r"found 1 class folders \(cat\)"):
        FolderSource(root)


def test_class_missing_in_train(save_pictures: SavePictures) -> None:
    for name in ("train/cat", "train/dog", "test/cat", "test/dog", "test/eel"):
        root = save_pictures(name, 3)
    with pytest.raises(UserError, match="class 'eel' is not among the classes of train"):
        FolderSource(root)


def test_class_missing_in_a_stored_split(save_pictures: SavePictures) -> None:
    for name in ("train/cat", "train/dog", "val/cat"):
        root = save_pictures(name, 4)
    with pytest.raises(UserError, match="class 'dog' has 0 pictures in the search split"):
        load_dataset(str(root), side=4)


def test_class_too_small_to_carve(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 9)
    save_pictures("dog", 2)
    with pytest.raises(UserError, match="class 'dog' has 2 pictures, too few"):
        load_dataset(str(root), side=4)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["train", "test"], "holds no class folders"),  # pictures without classes
        (["val/cat", "val/dog"], "has val but no train folder"),
        (["train/a", "train/b", "val/a", "validation/a"], "mean the same split"),
    ],
)
def test_layouts_that_are_neither(save_pictures: SavePictures, folders: list[str], message: str) -> None:
    for folder in folders:
        root = save_pictures(folder, 2)
    with pytest.raises(UserError, match=message):
        FolderSource(root)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no class folders"):
        FolderSource(tmp_path)


def test_pictures_of_many_sizes_and_modes_load_together(save_pictures: SavePictures) -> None:
    root = save_pictures("cat", 4)
    shutil.copytree(root / "cat", root / "dog")
    Image.new("LA", (3, 50), (0, 255)).save(root / "dog" / "000.png")
    Image.new("CMYK", (21, 4)).save(root / "dog" / "004.jpg")
    data = load_dataset(str(root), side=6)
    total = len(data.train) + len(data.search) + len(data.test)
    assert total == 9
    assert data.search.images.shape[1:] == (6, 6, 3)


def test_real_sample(real_data: Path) -> None:
    data = load_dataset(str(real_data / "person_folder_sample"), side=32)
    assert data.class_names == ("no_person", "person")
    assert sum(len(files) for files in data.files.values()) == 400
    assert all(0.3 < mean < 0.6 for mean in data.mean)
    assert data.native_side == 64
