"""Images that have changed are refused, and images that were moved are welcome."""

import ast
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photographs import photographs
from PIL import Image

import hytnas_jax
from hytnas_jax.files.atomic import read_json
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.workspace import folder_lock, known_images
from hytnas_jax.workspace.project import Project, create_project, open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError

LABELS = np.arange(12) % 3


def begin(path: Path, data: object, *, seed: int = 0, **changes: Any) -> Project:
    flags = {"space": "hybrid-small", "resolutions": (8,), "data": str(data), **changes}
    return create_project(Workdir(path), DataConfig(path, **flags), seed=seed)[0]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Of `tmp_path`/images/{train,val,test}/{cat,dog}/{0..5}.png."""
    images = iter(photographs(36, side=10))
    for split in ("train", "val", "test"):
        for label in ("cat", "dog"):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True)
            for number in range(6):
                Image.fromarray(next(images)).save(folder / f"{number}.png")
    return begin(tmp_path / "work", tmp_path / "images")


def swap(first: Path, second: Path) -> None:
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def swap_files(images: Path) -> None:
    for number in (1, 2, 5):
        swap(images / f"train/cat/{number}.png", images / f"train/dog/{number}.png")


def swap_folders(images: Path) -> None:
    for old, new in (("cat", "x"), ("dog", "cat"), ("x", "dog")):
        (images / "test" / old).rename(images / "test" / new)


def overwrite(images: Path) -> None:
    for number, image in enumerate(photographs(6, side=10, seed=1)):
        Image.fromarray(image).save(images / f"val/dog/{number}.png")


def turn(images: Path) -> None:
    """By 180 degrees: mean and deviation stay."""
    for path in images.glob("train/*/*.png"):
        Image.open(path).rotate(180).save(path)


def repeat_one(images: Path) -> None:
    shutil.copy(images / "train/cat/0.png", images / "train/cat/1.png")


def add_one(images: Path) -> None:
    shutil.copy(images / "test/cat/0.png", images / "test/cat/9.png")


def add_a_class(images: Path) -> None:
    for split in ("train", "val", "test"):
        shutil.copytree(images / split / "cat", images / split / "cow")
        for number, path in enumerate(sorted((images / split / "cow").iterdir())):
            Image.fromarray(photographs(6, side=10, seed=3)[number]).save(path)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (swap_files, ["train split: another label: 6 of 12 (cat: 3, dog: 3), e.g. train/cat/1.png"]),
        (swap_folders, ["test split: another label: 12 of 12 (cat: 6, dog: 6), e.g. test/cat/0.png"]),
        (overwrite, ["validation split: other pixels: 6 of 12 (dog: 6), e.g. val/dog/0.png"]),
        (turn, ["train split: other pixels: 12 of 12 (cat: 6, dog: 6), e.g. train/cat/0.png"]),
        (repeat_one, ["train split: gone: 1 (cat: 1), e.g. train/cat/1.png"]),
        (add_one, ["test split: 12 images before, 13 now"]),
        (
            lambda images: (images / "val/dog/3.png").unlink(),
            ["validation split: 12 images before, 11 now; gone: 1 (dog: 1), e.g. val/dog/3.png"],
        ),
        (
            lambda images: (images / "train/cat/0.png").rename(images / "test/cat/x.png"),
            [
                "train split: 12 images before, 11 now",
                "test split: 12 images before, 13 now; from another split: 1 of 13 (cat: 1), "
                "e.g. test/cat/x.png",
            ],
        ),
        (
            lambda images: (images / "train/cat/0.png").rename(images / "train/cat/x.png"),
            ["train split: the same images in another order, as where files were renamed"],
        ),
        (
            add_a_class,
            [
                "classes: new cow",
                "train split: 12 images before, 18 now; new: 6 of 18 (cow: 6), e.g. train/cow/0.png",
                "validation split: 12 images before, 18 now; new: 6 of 18 (cow: 6), e.g. val/cow/0.png",
                "test split: 12 images before, 18 now; new: 6 of 18 (cow: 6), e.g. test/cow/0.png",
            ],
        ),
    ],
)
def test_what_has_changed_is_said(
    tmp_path: Path, project: Project, change: Callable[[Path], None], lines: list[str]
) -> None:
    images = tmp_path / "images"
    change(images)
    changed = "\n".join(f"  {line}" for line in lines)
    with pytest.raises(UserError) as refusal:
        project.dataset()
    assert str(refusal.value) == (
        f"--data {images}: the images have changed since {tmp_path / 'work'} was begun:\n{changed}\n"
        "restore them, or give another --workdir"
    )
    with pytest.raises(UserError) as same:
        begin(tmp_path / "work", images)
    assert str(same.value) == str(refusal.value)


def save_npz(path: Path, *, save: Callable[..., None] = np.savez, **changes: np.ndarray) -> Path:
    images, names = photographs(36, side=8).reshape(3, 12, 8, 8, 3), np.array(["a", "b", "c"])
    arrays = {f"x_{split}": part for split, part in zip(("train", "val", "test"), images, strict=True)}
    labels = {f"y_{split}": LABELS for split in ("train", "val", "test")}
    save(path, **{**arrays, **labels, "class_names": names, **changes})
    return path


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"y_test": 2 - LABELS}, "test split: another label: 8 of 12 (a: 4, c: 4), e.g. x_test[0]"),
        ({"class_names": np.array(["a", "b", "d"])}, "classes: new d; gone c"),
        ({"class_names": np.array(["b", "a", "c"])}, "classes: in another order, b, a, c"),
        (
            {"x_val": photographs(12, side=8)},
            "validation split: from another split: 12 of 12 (a: 4, b: 4, c: 4)",
        ),
        ({"y_val": LABELS[::-1]}, "validation split: another label: 8 of 12 (a: 4, c: 4), e.g. x_val[0]"),
    ],
)
def test_changes_in_an_archive(tmp_path: Path, changes: dict[str, np.ndarray], line: str) -> None:
    data = save_npz(tmp_path / "data.npz")
    project = begin(tmp_path / "work", data)
    save_npz(data, save=np.savez_compressed)
    project.dataset()  # compressed, it is the same
    save_npz(data, **changes)
    with pytest.raises(UserError) as refusal:
        project.dataset()
    assert line in str(refusal.value)


def test_another_number_of_channels(tmp_path: Path) -> None:
    data = save_npz(tmp_path / "data.npz")
    project = begin(tmp_path / "work", data)
    grey = {f"x_{split}": np.zeros((12, 8, 8), np.uint8) for split in ("train", "val", "test")}
    with pytest.raises(UserError, match=r"channels: were 3, are 1\n.*other pixels: 12 of 12"):
        save_npz(data, **grey) and project.dataset()


def test_another_version_of_pillow_is_named_as_a_cause(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    hint = "Pillow was {} and is 99.0: it may decode the same files into other grey levels"
    before = project.workdir.step("data").done()["environment"]["packages"]["pillow"]
    monkeypatch.setattr(known_images, "package_version", lambda name: "99.0")
    project.dataset()  # same pixels: no matter
    overwrite(tmp_path / "images")  # few of them
    with pytest.raises(UserError) as few:
        project.dataset()
    assert "Pillow" not in str(few.value)
    for path in (tmp_path / "images").rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(path)) ^ 1).save(path)
    with pytest.raises(UserError) as all_of_them:
        project.dataset()
    assert hint.format(before) in str(all_of_them.value)
    assert f"pip install pillow=={before}" in str(all_of_them.value)


def place(path: Path) -> tuple[str, str | None]:
    settings = read_json(path / "data" / "settings.json")["settings"]
    return settings["data"], settings["data_dir"]


def test_a_relative_path_holds_in_every_folder(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    relative = begin(Path("second"), "images")
    monkeypatch.chdir(tmp_path / "elsewhere")
    open_project(Workdir(tmp_path / "second")).dataset()
    spellings = ("../images", f"{tmp_path}/./images/", f"{tmp_path}/elsewhere/../images")
    capsys.readouterr()
    for spelling in spellings:
        begin(tmp_path / "second", spelling)
        assert place(tmp_path / "second") == (str(tmp_path / "images"), None)
    assert "the same images" not in capsys.readouterr().out
    assert relative.source == project.source == "images"


def test_a_home_folder_is_spelled_out(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    begin(tmp_path / "work", "~/images")
    assert place(tmp_path / "work") == (str(tmp_path / "images"), None)


def test_moved_images_are_welcome(
    tmp_path: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "images", tmp_path / "renamed ones"
    old.rename(new)
    with pytest.raises(UserError) as gone:
        project.dataset()
    assert str(gone.value) == (
        f"the images of {tmp_path / 'work'} are not there any more (--data {old}); if they were moved, run "
        "the train_supernet command that it was begun with again, with --data and their new place"
    )
    identity = project.done_id
    moved = begin(tmp_path / "work", new)
    said = capsys.readouterr().out
    assert f"the same images as in --data {old}; read from --data '{new}' from now on" in said
    assert (moved.done_id, moved.source) == (identity, "renamed ones")
    assert place(tmp_path / "work") == (str(new), None)
    project.dataset()
    link = tmp_path / "link"
    link.symlink_to(new)
    begin(tmp_path / "work", link)
    assert place(tmp_path / "work") == (str(link), None)


def test_an_empty_folder_is_a_disk_that_is_not_mounted(tmp_path: Path, project: Project) -> None:
    shutil.rmtree(tmp_path / "images")
    (tmp_path / "images").mkdir()
    with pytest.raises(UserError, match=r"are not there any more .* with --data and their new place"):
        project.dataset()


def test_the_whole_work_may_move(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other machine"
    other.mkdir()
    shutil.move(tmp_path / "work", other / "run")
    shutil.move(tmp_path / "images", other / "data")
    monkeypatch.setattr(folder_lock, "_held", {})
    monkeypatch.chdir(other)
    begin(Path("run"), "data")
    open_project(Workdir(other / "run")).dataset()


def test_other_images_at_another_place_are_refused(tmp_path: Path, project: Project) -> None:
    shutil.copytree(tmp_path / "images", tmp_path / "copy")
    overwrite(tmp_path / "copy")
    work, copy = tmp_path / "work", tmp_path / "copy"
    with pytest.raises(UserError) as refusal:
        begin(work, copy)
    assert str(refusal.value) == (
        f"--data {copy}: these are not the images of {work}, which was begun with --data "
        f"{tmp_path / 'images'}:\n"
        "  validation split: other pixels: 6 of 12 (dog: 6), e.g. val/dog/0.png\n"
        "give the place of those, or give another --workdir"
    )
    assert place(tmp_path / "work") == (str(tmp_path / "images"), None)
    project.dataset()
    with pytest.raises(UserError, match="--data digits: these are not the images of"):
        begin(tmp_path / "work", "digits")


def test_another_format_of_the_same_pixels_is_the_same(tmp_path: Path, project: Project) -> None:
    for path in (tmp_path / "images").rglob("*.png"):
        copy = tmp_path / "bmp" / path.relative_to(tmp_path / "images").with_suffix(".bmp")
        copy.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(copy)
    begin(tmp_path / "work", tmp_path / "bmp")
    noted = read_json(tmp_path / "work" / "data" / "splits.json")
    assert noted["splits"]["test"][0] == "test/cat/0.bmp"


def test_other_settings_are_refused_wherever_the_images_lie(tmp_path: Path, project: Project) -> None:
    (tmp_path / "images").rename(tmp_path / "moved")
    with pytest.raises(UserError, match="seed: was 0, now 1"):
        begin(tmp_path / "work", tmp_path / "moved", seed=1)


@pytest.mark.parametrize("name", [b"new\nline", b"no\xffutf", b"a [b]* 'c'"])
def test_odd_paths(tmp_path: Path, project: Project, name: bytes) -> None:
    odd = tmp_path / os.fsdecode(name)
    shutil.copytree(tmp_path / "images", odd)
    (odd / "train/cat/0.png").rename(odd / "train/cat" / os.fsdecode(b"0\xfe.png"))
    begin(tmp_path / "work", odd)
    open_project(Workdir(tmp_path / "work")).dataset()
    assert place(tmp_path / "work") == (str(odd), None)


def test_a_work_folder_among_the_classes_is_told(tmp_path: Path, project: Project) -> None:
    images = tmp_path / "images" / "train"
    with pytest.raises(UserError, match=r"lies inside of the images, where .*/runs may be taken for"):
        begin(images / "runs" / "one", images)
    shutil.rmtree(images / "runs")
    begin(images / ".runs" / "one", images).dataset()


def test_copies_are_told_when_the_work_begins(
    tmp_path: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    shutil.copy(images / "train/cat/0.png", images / "test/dog/9.png")
    begin(tmp_path / "second", images)
    warnings = capsys.readouterr().err
    assert "warning: 1 of 13 test images is a copy of a train image (1 to the last pixel, 0" in warnings
    assert "warning: 2 images are there under more than one label" in warnings
    remarks = Workdir(tmp_path / "second").step("data").done()["summary"]["remarks"]
    assert [f"warning: {remark}" for remark in remarks] == warnings.splitlines()
    mirrored = tmp_path / "mirrored"
    for path in sorted((images / "train").rglob("*.png")):
        (mirrored / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, mirrored / path.parent.name)
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(
            mirrored / path.parent.name / f"m{path.name}"
        )
    begin(tmp_path / "third", mirrored)
    said = capsys.readouterr()
    assert "images are copies of others, exact, nearly or mirrored: copies of one image" in said.out
    assert said.err == ""


def test_nothing_reads_images_past_the_check() -> None:
    """Every command gets them from `Project.dataset` or `create_project`."""
    package = Path(hytnas_jax.__file__).parent
    readers = {"load_dataset", "load_images"}
    users = set()
    for path in package.rglob("*.py"):
        if path.parent != package / "data":
            used = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
            users |= {path.name for _ in readers & used}
    assert users == {"known_images.py"}
