"""Folders: both layouts, and everything that a user's folder may get wrong."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from hytnas_jax.data import first_look, load_dataset
from hytnas_jax.data.readers.folder import FolderSource
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.workspace.project import create_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError

SaveImages = Callable[..., Path]


def test_split_layout_uses_the_stored_splits(save_images: SaveImages) -> None:
    for split, count in (("train", 6), ("valid", 3), ("test", 2)):
        root = save_images(f"{split}/cat", count)
        save_images(f"{split}/dog", count)
    data = load_dataset(str(root), side=4)
    assert data.class_names == ("cat", "dog")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [12, 6, 4]
    assert data.train.images.shape == (12, 4, 4, 3)
    np.testing.assert_array_equal(data.train.labels, [0] * 6 + [1] * 6)
    np.testing.assert_array_equal(data.train.images[5, 0, 0], (50, 20, 200))
    assert data.files["test"][0] == "test/cat/000.png"
    assert data.native_side == 8


def test_flat_layout_is_carved(save_images: SaveImages) -> None:
    root = save_images("cat", 10)
    save_images("dog", 5)
    data = load_dataset(str(root), side=4)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [9, 3, 3]
    files = [file for split in data.files.values() for file in split]
    assert len(set(files)) == 15


def test_a_class_may_be_called_train(save_images: SaveImages) -> None:
    for name in ("bus", "car", "train"):
        root = save_images(name, 4)
    assert FolderSource(root).class_names == ("bus", "car", "train")


def test_other_files_are_ignored(save_images: SaveImages) -> None:
    root = save_images("cat", 3)
    save_images("dog", 3)
    (root / "cat" / "notes.txt").write_text("x")
    (root / "cat" / "._000.png").write_text("x")
    (root / ".cache").mkdir()
    (root / "__MACOSX").mkdir()
    (root / "cat" / "000.png").rename(root / "cat" / "000.PNG")
    assert FolderSource(root).sizes == {"train": 6}


def test_native_side_is_the_median_of_the_shorter_sides(save_images: SaveImages) -> None:
    root = save_images("cat", 3, size=(40, 30))
    save_images("dog", 2, size=(5, 90))
    (root / "dog" / "broken.png").write_bytes(b"no image")
    assert first_look(str(root)).native_side("auto") == 30


def test_corrupt_image_is_named(save_images: SaveImages) -> None:
    root = save_images("cat", 5)
    save_images("dog", 5)
    (root / "dog" / "002.png").write_bytes((root / "dog" / "001.png").read_bytes()[:40])
    with pytest.raises(UserError, match=r"dog/002\.png cannot be read.*skip_corrupt"):
        load_dataset(str(root), side=4)
    with pytest.warns(UserWarning, match=r"skipped 1 image.*dog/002\.png"):
        data = load_dataset(str(root), side=4, skip_corrupt=True)
    assert data.skipped == ("dog/002.png",)
    files = [file for split in data.files.values() for file in split]
    assert len(files) == 9
    assert "dog/002.png" not in files
    assert len(data.train) == len(data.files["train"])


def test_skipping_may_not_empty_a_class(save_images: SaveImages) -> None:
    root = save_images("cat", 5)
    save_images("dog", 3)
    for file in (root / "dog").iterdir():
        file.write_bytes(b"no image")
    with (
        pytest.warns(UserWarning, match="skipped 3 image"),
        pytest.raises(UserError, match="class 'dog' has 0 images in the train split"),
    ):
        load_dataset(str(root), side=4, skip_corrupt=True)


def test_only_corrupt_images(save_images: SaveImages) -> None:
    root = save_images("cat", 2)
    save_images("dog", 2)
    for file in root.glob("*/*.png"):
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"not one of the 4 images.*cat/000\.png"):
        first_look(str(root))


def test_empty_class_folder_is_named(save_images: SaveImages) -> None:
    root = save_images("train/cat", 3)
    save_images("train/dog", 0)
    with pytest.raises(UserError, match="class 'dog' has no images"):
        FolderSource(root)


def test_one_class_only(save_images: SaveImages) -> None:
    root = save_images("train/cat", 3)
    with pytest.raises(UserError, match=r"found 1 class folder \(cat\)"):
        FolderSource(root)


def test_class_missing_in_train(save_images: SaveImages) -> None:
    for name in ("train/cat", "train/dog", "test/cat", "test/dog", "test/eel"):
        root = save_images(name, 3)
    with pytest.raises(UserError, match="class 'eel' is not among the classes of train"):
        FolderSource(root)


def test_class_missing_in_a_stored_split(save_images: SaveImages) -> None:
    for name in ("train/cat", "train/dog", "val/cat"):
        root = save_images(name, 4)
    with pytest.raises(UserError, match="class 'dog' has 0 images in the validation split"):
        load_dataset(str(root), side=4)


def test_class_too_small_to_carve(save_images: SaveImages) -> None:
    root = save_images("cat", 9)
    save_images("dog", 2)
    with pytest.raises(UserError, match="class 'dog' has 2 images, too few"):
        load_dataset(str(root), side=4)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["train", "test"], "holds no class folders"),  # images without classes
        (["training", "testing"], "holds no class folders"),
        (["train", "eval"], "holds no class folders"),
        (["train/a", "train/b", "test"], "test: holds no class folders"),
        (["val/cat", "val/dog"], "has val but no train folder"),
        (["train/a", "train/b", "val/a", "validation/a"], "mean the same split"),
    ],
)
def test_layouts_that_are_neither(save_images: SaveImages, folders: list[str], message: str) -> None:
    for folder in folders:
        root = save_images(folder, 2)
    with pytest.raises(UserError, match=message):
        FolderSource(root)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no class folders"):
        FolderSource(tmp_path)


def test_images_of_many_sizes_and_modes_load_together(save_images: SaveImages) -> None:
    root = save_images("cat", 4)
    shutil.copytree(root / "cat", root / "dog")
    Image.new("LA", (3, 50), (0, 255)).save(root / "dog" / "000.png")
    Image.new("CMYK", (21, 4)).save(root / "dog" / "004.jpg")
    data = load_dataset(str(root), side=6)
    total = len(data.train) + len(data.validation) + len(data.test)
    assert total == 9
    assert data.validation.images.shape[1:] == (6, 6, 3)


def test_real_sample(real_data: Path) -> None:
    data = load_dataset(str(real_data / "person_folder_sample"), side=32)
    assert data.class_names == ("no_person", "person")
    assert sum(len(files) for files in data.files.values()) == 400
    assert all(0.3 < mean < 0.6 for mean in data.mean)
    assert data.native_side == 64


def left_out(root: Path) -> str:
    return FolderSource(root).left_out


def test_nothing_is_said_where_all_is_used(save_images: SaveImages) -> None:
    """Nor of what lies beside images everywhere."""
    for split in ("train", "val"):
        root = save_images(f"{split}/cat", 3)
        save_images(f"{split}/dog", 3)
    for name in ("labels.csv", "README", "readme.md", ".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep"):
        (root / name).write_text("x")
        (root / "train" / "cat" / name).write_text("x")
    for name in (".cache", "__MACOSX", "docs", "train/cat/empty"):
        (root / name).mkdir()
    (root / "__MACOSX" / "._a.png").write_text("x")
    (root / "train" / "cat" / "._000.png").write_text("x")
    (root / "docs" / "how.txt").write_text("x")
    assert left_out(root) == ""


def test_what_is_not_used_is_counted_by_folder_and_reason(save_images: SaveImages) -> None:
    root = save_images("cat", 6)
    for folder, count in (("dog", 3), ("cat/more", 4), ("cat/more/deeper", 1)):
        save_images(folder, count)
    for n in range(3):
        (root / "cat" / f"IMG_{n}.HEIC").write_bytes(b"x")
    (root / "cat" / "old.heic").write_bytes(b"x")
    (root / "cat" / "more" / "notes.txt").write_bytes(b"x")
    (root / "dog" / ".hidden.jpg").write_bytes(b"x")
    (root / "dog" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "dog" / "all.zip").write_bytes(b"x")
    (root / "dog" / "no_extension").write_bytes(b"x")
    Image.new("RGB", (8, 8)).save(root / "title.png")
    assert left_out(root) == (
        f"{root.name}: 1 image beside the class folders left out; "
        "cat: 5 files in subfolders and 4 .HEIC left out; "
        "dog: 1 .zip, 1 broken link, 1 hidden and 1 other left out; "
        "images have to lie directly in the folder of their class; "
        "convert images of other kinds to PNG or JPEG"
    )
    assert FolderSource(root).sizes == {"train": 9}


def test_many_folders_make_one_line(save_images: SaveImages) -> None:
    for n in range(15):
        root = save_images(f"c{n:02}", 2)
        (root / f"c{n:02}" / "a.heic").write_bytes(b"x")
    assert left_out(root) == (
        "c00: 1 .heic left out; c01: 1 .heic left out; c02: 1 .heic left out; 12 files in 12 more folders; "
        "convert images of other kinds to PNG or JPEG"
    )


def test_the_warning_is_said_once_and_noted(
    save_images: SaveImages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_images("pics/cat", 6)
    save_images("pics/cat/more", 20)
    save_images("pics/dog", 6)
    flags = DataConfig(tmp_path / "work", data=str(tmp_path / "pics"), space="hybrid-small", resolutions=(8,))
    for _ in range(2):
        project, _ = create_project(Workdir(tmp_path / "work"), flags, seed=0)
    said = "cat: 20 files in subfolders left out; images have to lie directly in the folder of their class"
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "left out" in line] == [f"warning: {tmp_path / 'pics'}: {said}"]
    assert project.workdir.step("data").done()["summary"]["left_out"] == said


@pytest.mark.parametrize("name", ["a.AVIF", "a.webp", "a.tga", "a.jp2", "a.JPE", "a.pnm", "a.qoi", "a.pcx"])
def test_what_pillow_reads_is_read(save_images: SaveImages, name: str) -> None:
    root = save_images("cat", 3)
    save_images("dog", 3)
    if not features.check("avif") and "AVIF" in name:
        pytest.skip("this Pillow was built without AVIF")
    Image.new("RGB", (8, 8), (200, 20, 20)).save(root / "cat" / name)
    data = load_dataset(str(root), side=4)
    assert f"cat/{name}" in [file for files in data.files.values() for file in files]
    assert data.left_out == ""


def test_what_needs_other_programs_or_is_no_image_is_not_opened(save_images: SaveImages) -> None:
    root = save_images("cat", 3)
    save_images("dog", 3)
    for name in ("a.eps", "a.pdf", "a.mpg", "a.h5", "a.wmf", "a.heif"):
        (root / "cat" / name).write_bytes(b"x")
    assert FolderSource(root).sizes == {"train": 6}
    assert "cat: 1 .eps, 1 .h5, 1 .heif and 3 others left out" in left_out(root)


@pytest.mark.parametrize(
    ("folders", "sizes"),
    [
        (("training", "validate", "testing"), {"train": 4, "validation": 4, "test": 4}),
        (("Train_Set", "dev", "Test set"), {"train": 4, "validation": 4, "test": 4}),
        (("train", "eval"), {"train": 4, "test": 4}),  # not to be seen before the end, as far as anyone knows
        (("train", "evaluation", "test"), {"train": 4, "validation": 4, "test": 4}),
        (("train", "holdout"), {"train": 4, "test": 4}),
    ],
)
def test_splits_by_other_names(save_images: SaveImages, folders: tuple[str, ...], sizes: dict) -> None:
    for folder in folders:
        root = save_images(f"{folder}/cat", 2)
        save_images(f"{folder}/dog", 2)
    source = FolderSource(root)
    assert dict(source.sizes) == sizes
    assert source.left_out == ""


@pytest.mark.parametrize("name", ["testing", "test", "eval", "dev", "Training"])
def test_a_class_may_be_called_like_a_split(save_images: SaveImages, name: str) -> None:
    for label in ("bus", "car", name):
        root = save_images(label, 4)
    assert set(FolderSource(root).class_names) == {"bus", "car", name}


def test_two_folders_for_the_same_split_are_refused(save_images: SaveImages) -> None:
    for folder in ("train", "test", "testing"):
        root = save_images(f"{folder}/cat", 2)
        save_images(f"{folder}/dog", 2)
    with pytest.raises(UserError, match="both test and testing are there, and mean the same split"):
        FolderSource(root)


def test_folders_that_are_no_split_are_told(save_images: SaveImages) -> None:
    for folder in ("train", "test_images", "work"):
        root = save_images(f"{folder}/cat", 2)
        save_images(f"{folder}/dog", 2)
    (root / "work" / "workdir.json").write_text("{}")  # one of ours, which is no part of the data set
    save_images("dev", 3)  # of no classes
    assert left_out(root) == (
        "dev/ (3 files) is not used; test_images/ (4 files) is not used; "
        "the folders of splits are called train, val and test"
    )


def test_a_test_split_beside_the_folder_that_was_given_is_told(save_images: SaveImages) -> None:
    for folder in ("train", "test", "other"):
        root = save_images(f"{folder}/cat", 5)
        save_images(f"{folder}/dog", 5)
    said = "test/ lies beside it and is not used; give the folder that holds all splits as --data to use it"
    assert left_out(root / "train") == said
    assert left_out(root / "other") == ""
    shutil.move(root / "test" / "cat", root / "test" / "eel")
    shutil.move(root / "test" / "dog", root / "test" / "fox")
    assert left_out(root / "train") == ""  # another data set's


def test_a_class_that_holds_only_what_is_not_read_says_so(save_images: SaveImages) -> None:
    root = save_images("cat", 3)
    save_images("dog/more", 7)
    (root / "dog" / "a.heic").write_bytes(b"x")
    with pytest.raises(
        UserError, match=r"'dog' has no images .*dog: 7 files in subfolders and 1 \.heic left"
    ):
        FolderSource(root)


def test_links_are_followed_and_circles_are_not(save_images: SaveImages) -> None:
    root = save_images("pics/cat", 3) / "pics"
    save_images("elsewhere", 4)
    (root / "dog").symlink_to(root.parent / "elsewhere")
    (root / "cat" / "round").symlink_to(root)
    (root / "cat" / "itself.png").symlink_to("itself.png")
    source = FolderSource(root)
    assert source.class_names == ("cat", "dog")
    assert source.sizes == {"train": 7}
    assert "1 broken link left out" in source.left_out


@pytest.mark.parametrize("names", [("Cat", "cat"), (" cat", "cat"), ("cat ", "cat\n"), ("猫", "caf\udce9")])
def test_class_folders_of_odd_names(save_images: SaveImages, names: tuple[str, str]) -> None:
    """Also one whose bytes are no UTF-8, as an old archive leaves it."""
    for name in names:
        root = save_images(name, 4)
    data = load_dataset(str(root), side=4)
    assert data.class_names == tuple(sorted(names))
    assert json.loads(json.dumps(data.splits_to_json()))["class_names"] == sorted(names)


def test_a_pipe_that_is_called_a_image_is_not_waited_for(save_images: SaveImages) -> None:
    root = save_images("cat", 3)
    save_images("dog", 3)
    os.mkfifo(root / "cat" / "pipe.png")
    assert FolderSource(root).sizes == {"train": 6}
