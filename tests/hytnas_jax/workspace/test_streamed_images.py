"""Work folders whose images are streamed: noted once, not decoded again, and checked where they are."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_tasks import save_boxes, save_masks
from photographs import photographs
from PIL import Image
from tiny_tfds import prepare

from hytnas_jax.data import Dataset
from hytnas_jax.data.readers.folder import FolderSource
from hytnas_jax.data.readers.tfds import TfdsSource
from hytnas_jax.files.atomic import read_json
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.workspace import image_notes, known_images
from hytnas_jax.workspace.image_notes import read_notes
from hytnas_jax.workspace.project import Project, create_project, open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError

PER_CLASS = 6


def begin(path: Path, data: object, **changes: Any) -> tuple[Project, Dataset]:
    flags = {"space": "hybrid-small", "resolutions": (8,), "data": str(data), "stream": "always", **changes}
    return create_project(Workdir(path), DataConfig(path, **flags), seed=0)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """{train,val,test}/{cat,dog}/{0..5}.png."""
    made = iter(photographs(6 * PER_CLASS, side=10))
    for split in ("train", "val", "test"):
        for label in ("cat", "dog"):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True)
            for number in range(PER_CLASS):
                Image.fromarray(next(made)).save(folder / f"{number}.png")
    return tmp_path / "images"


def assert_same(ours: Dataset, theirs: Dataset) -> None:
    assert ours.splits_to_json() == theirs.splits_to_json()
    for split in ("train", "validation", "test"):
        mine, other = (getattr(dataset, split).held() for dataset in (ours, theirs))
        np.testing.assert_array_equal(mine.images, other.images)
        np.testing.assert_array_equal(mine.labels, other.labels)
        for name, values in other.targets.items():
            np.testing.assert_array_equal(mine.targets[name], values)


@pytest.mark.parametrize(
    "given",
    [
        lambda path: {"data": "digits", "max_images": 60},
        lambda path: {"data": "tfds:tiny", "data_dir": Path(prepare(path))},
        lambda path: {"data": save_boxes(path), "space": "hybrid", "resolutions": (32,)},
        lambda path: {"data": save_masks(path), "space": "hybrid", "resolutions": (32,)},
    ],
    ids=["digits", "tfds", "boxes", "masks"],
)
def test_they_are_the_same_in_later_commands(tmp_path: Path, given: Callable[[Path], dict[str, Any]]) -> None:
    flags = given(tmp_path / "data")
    _, held = begin(tmp_path / "held", **flags, stream="never")
    project, first = begin(tmp_path / "work", **flags)
    assert (held.are_streamed, first.are_streamed) == (False, True)
    assert_same(first, held)
    again = open_project(Workdir(tmp_path / "work"))
    assert again.dataset().are_streamed
    assert_same(again.dataset(), held)
    assert (
        again.class_weights == project.class_weights == open_project(Workdir(tmp_path / "held")).class_weights
    )
    assert_same(begin(tmp_path / "work", **flags)[1], held)
    assert not open_project(Workdir(tmp_path / "held")).dataset().are_streamed


def test_later_commands_decode_the_validation_split_alone(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = begin(tmp_path / "work", images)
    opened: Counter[str] = Counter()
    openers = FolderSource.openers

    def counted(self: FolderSource, split: Any, positions: np.ndarray) -> Any:
        opened[split] += len(positions)
        return openers(self, split, positions)

    monkeypatch.setattr(FolderSource, "openers", counted)
    project.dataset()
    begin(tmp_path / "work", images)
    assert opened == {"validation": 2 * 2 * PER_CLASS}


def test_later_commands_read_no_labels_of_record_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie beside the images."""
    flags = {"data": "tfds:tiny", "data_dir": Path(prepare(tmp_path / "data"))}
    project, dataset = begin(tmp_path / "work", **flags)
    monkeypatch.setattr(TfdsSource, "labels", lambda *_: pytest.fail("labels are read"))
    assert_same(project.dataset(), dataset)


def test_what_is_noted_of_each_image_lies_apart(tmp_path: Path, images: Path) -> None:
    project, dataset = begin(tmp_path / "work", images)
    folder = project.workdir.path / "data"
    facts = read_json(folder / "splits.json")
    assert "splits" not in facts
    assert "content" not in facts
    assert facts["stored"] == {"train": 12, "validation": 12, "test": 12}
    noted = read_notes(folder)
    assert noted.files == dataset.files
    assert (folder / "images.npz").is_file()


def add_one(images: Path) -> None:
    shutil.copy(images / "test/cat/0.png", images / "test/cat/9.png")


def rename(images: Path) -> None:
    (images / "train/cat/0.png").rename(images / "train/cat/+.png")


def move(images: Path) -> None:
    (images / "train/cat/5.png").rename(images / "train/dog/+.png")


def rename_class(images: Path) -> None:
    for split in ("train", "val", "test"):
        (images / split / "dog").rename(images / split / "cow")


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (add_one, ["test as it is stored: 12 images before, 13 now"]),
        (rename, ["train split: other names: 1 of 12, e.g. train/cat/+.png"]),
        (
            move,
            [
                "train split: other names: 1 of 12, e.g. train/dog/+.png",
                "train split: other labels: 1 of 12, e.g. train/dog/+.png",
            ],
        ),
        (rename_class, ["classes: new cow; gone dog"]),
    ],
)
def test_what_has_changed_is_said_without_decoding(
    tmp_path: Path, images: Path, change: Callable[[Path], None], lines: list[str]
) -> None:
    project, _ = begin(tmp_path / "work", images)
    change(images)
    with pytest.raises(UserError) as refusal:
        project.dataset()
    changed = "\n".join(f"  {line}" for line in lines)
    assert str(refusal.value) == (
        f"--data {images}: the images have changed since {tmp_path / 'work'} was begun:\n{changed}\n"
        "restore them, or give another --workdir"
    )


def test_other_boxes_are_said(tmp_path: Path) -> None:
    flags = {"data": save_boxes(tmp_path / "data"), "space": "hybrid", "resolutions": (32,)}
    project, _ = begin(tmp_path / "work", **flags)
    path = tmp_path / "data" / "instances.json"
    path.write_text(path.read_text().replace('"bbox": [', '"bbox": [1 + 0 * ', 1).replace("1 + 0 * ", "1", 1))
    with pytest.raises(UserError, match=r"split: other boxes: 1 of \d+, e\.g\. "):
        project.dataset()


def test_other_pixels_are_said_where_they_are_decoded(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = begin(tmp_path / "work", images)
    Image.fromarray(photographs(1, side=10, seed=7)[0]).save(images / "train/dog/3.png")
    dataset = project.dataset()
    with pytest.raises(UserError) as changed:
        dataset.train.held()
    assert str(changed.value) == (
        "images: the image train/dog/3.png has changed since it was first read; restore it, or begin another "
        "--workdir"
    )
    monkeypatch.setattr(known_images, "package_version", lambda name: "99.0")
    with pytest.raises(UserError, match=r"--workdir \(Pillow was .* and is 99\.0: .*rules that out\)"):
        project.dataset().train.held()
    (images / "val/cat/0.png").unlink()
    (images / "val/cat/0.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"val/cat/0\.png can no longer be read"):
        project.dataset()


def test_moved_images_are_welcome(tmp_path: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, first = begin(tmp_path / "work", images)
    images.rename(tmp_path / "moved")
    with pytest.raises(UserError, match=r"are not there any more .* with --data and their new place"):
        project.dataset()
    _, dataset = begin(tmp_path / "work", tmp_path / "moved")
    assert f"the same images as in --data {images}; read from" in capsys.readouterr().out
    assert_same(dataset, project.dataset())
    assert dataset.files == first.files


@pytest.mark.parametrize(("first", "later"), [("always", "never"), ("never", "always")])
def test_they_stay_as_they_were_begun(tmp_path: Path, images: Path, first: str, later: str) -> None:
    begin(tmp_path / "work", images, stream=first)
    with pytest.raises(UserError, match=rf"--stream {later}: .*work .* its images, as it was begun; leave"):
        begin(tmp_path / "work", images, stream=later)
    for same in ("auto", first):
        assert begin(tmp_path / "work", images, stream=same)[1].are_streamed == (first == "always")


def test_the_cap_is_a_setting(tmp_path: Path, images: Path) -> None:
    project, dataset = begin(tmp_path / "work", images, max_validation=4)
    assert len(dataset.validation) == len(project.dataset().validation) == 4
    with pytest.raises(UserError, match="max_validation: was 4, now not set"):
        begin(tmp_path / "work", images)


def test_many_held_images_are_noted_in_arrays_too(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, in_json = begin(tmp_path / "few", images, stream="never")
    monkeypatch.setattr(image_notes, "MANY", 35)
    project, dataset = begin(tmp_path / "work", images, stream="never")
    assert (project.workdir.path / "data" / "images.npz").is_file()
    assert_same(project.dataset(), in_json)
    assert not dataset.are_streamed
    move(images)
    with pytest.raises(UserError, match=r"train split: another label: 1 of 12"):
        project.dataset()


@pytest.mark.parametrize("content", [None, b"", b"no archive", "cut"])
def test_damaged_notes_are_named(tmp_path: Path, images: Path, content: bytes | str | None) -> None:
    project, _ = begin(tmp_path / "work", images)
    path = project.workdir.path / "data" / "images.npz"
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    with pytest.raises(UserError, match=r"images\.npz: this is not what was noted of the images .*again"):
        project.dataset()


@pytest.mark.parametrize("name", [b"new\nline.png", b"no\xffutf.png", "größer.png".encode()])
def test_odd_names(tmp_path: Path, images: Path, name: bytes) -> None:
    (images / "train/cat/0.png").rename(images / "train/cat" / os.fsdecode(name))
    project, first = begin(tmp_path / "work", images)
    assert_same(project.dataset(), first)
