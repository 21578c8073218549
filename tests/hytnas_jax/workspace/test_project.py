"""One data set and one space for a work folder, fixed by the first command."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data import Task
from hytnas_jax.files.atomic import read_json
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.workspace.project import Project, create_project, open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError
from supernet.spaces import built_in_space

FLAGS = {"space": "hybrid-small", "resolutions": (8,), "max_images": 50}


def create(path: Path, *, seed: int = 0, **changes: Any) -> Project:
    project, dataset = create_project(Workdir(path), DataConfig(path, **{**FLAGS, **changes}), seed=seed)
    assert project.class_names == dataset.class_names
    return project


@pytest.fixture
def save_images(tmp_path: Path) -> Callable[..., Path]:
    """A folder of two classes of ten images each, of one side."""

    def save(side: int, name: str = "images", *, width: int | None = None) -> Path:
        rng = np.random.default_rng(0)
        for label in ("cat", "dog"):
            (tmp_path / name / label).mkdir(parents=True)
            for number in range(10):
                pixels = rng.integers(0, 256, (side, width or side, 3), np.uint8)
                Image.fromarray(pixels).save(tmp_path / name / label / f"{number}.png")
        return tmp_path / name

    return save


@pytest.mark.parametrize(("side", "space"), [(32, "hybrid-small"), (33, "hybrid")])
def test_the_default_space_goes_by_the_images(
    tmp_path: Path, save_images: Callable[..., Path], side: int, space: str
) -> None:
    data = str(save_images(side))
    project = create(tmp_path / "work", data=data, space=None, resolutions=(), max_images=None)
    assert project.space.name == space
    assert project.space.resolution == {"hybrid-small": (24, 32), "hybrid": (48, 64)}[space]
    # Stored no larger than they are, whatever the network takes.
    assert project.dataset().train.images.shape == (12, side, side, 3)
    assert (project.channels, project.num_classes, project.mirror) == (3, 2, True)


def test_images_are_stored_no_larger_than_the_largest_resolution(
    tmp_path: Path, save_images: Callable[..., Path]
) -> None:
    data = str(save_images(33))
    project = create(tmp_path / "work", data=data, resolutions=(16, 8), max_images=None)
    assert project.space.resolution == (8, 16)
    assert project.dataset().train.images.shape == (12, 16, 16, 3)


@pytest.mark.parametrize(
    ("width", "fit", "used", "line"),
    [
        (16, "auto", "stretch", "stretched to squares, as their middle lacks 50% of the area"),
        (16, "crop", "crop", "their middle is used, 50% of the area (median) is cut off"),
        (27, "auto", "crop", "their middle is used, 16% of the area (median) is cut off"),
        (16, "pad", "pad", None),
        (32, "auto", "crop", None),
    ],
)
def test_images_that_are_not_square(
    tmp_path: Path,
    save_images: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    width: int,
    fit: str,
    used: str,
    line: str | None,
) -> None:
    data = str(save_images(32, width=width))
    project = create(tmp_path / "work", data=data, max_images=None, resolutions=(8, 16), fit=fit)
    said = capsys.readouterr().out
    assert (f"images are not square: {line}" in said) if line else ("not square" not in said)
    splits = read_json(project.workdir.path / "data" / "splits.json")
    assert (splits["image"]["fit"], splits["image"]["side"]) == (used, 16)
    create(tmp_path / "work", data=data, max_images=None, resolutions=(8, 16), fit=fit)
    assert "not square" not in capsys.readouterr().out  # said once


def test_the_digits(tmp_path: Path) -> None:
    project = create(tmp_path)
    assert project.space == built_in_space("hybrid-small").with_resolutions((8,))
    assert project.class_names == tuple("0123456789")
    assert (project.channels, project.mirror, project.source) == (1, False, "digits")
    assert len(project.dataset().train) == 50
    architecture = project.space.decode(np.zeros(len(project.space.genes), np.int64))
    spec = project.to_spec(architecture)
    assert (spec.resolution, spec.channels, spec.num_classes) == (8, 1, 10)


def test_the_second_call_opens_the_same(tmp_path: Path) -> None:
    first = create(tmp_path)
    second = create(tmp_path)
    assert dataclasses.replace(second, workdir=first.workdir) == first
    assert second.done_id == first.done_id
    assert dataclasses.replace(open_project(Workdir(tmp_path)), workdir=first.workdir) == first


def test_the_same_seed_gives_the_same_splits_and_another_others(tmp_path: Path) -> None:
    splits = [create(tmp_path / str(n), seed=seed).dataset().files for n, seed in enumerate((3, 3, 4))]
    assert splits[0] == splits[1]
    assert splits[0] != splits[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed: was 0, now 1"),
        ({"max_images": 60}, "max_images: was 50, now 60"),
        ({"skip_corrupt": True}, "skip_corrupt: was False, now True"),
        ({"fit": "pad"}, "fit: was 'auto', now 'pad'"),
        ({"bit_depth": 12}, "bit_depth: was None, now 12"),
        ({"mirror": "on"}, "mirror: was 'off', now 'on'"),
        ({"resolutions": (8, 12)}, r"space.resolution: was \[8\], now \[8, 12\]"),
        ({"space": "hybrid", "resolutions": (32,)}, "space.name: was 'hybrid-small', now 'hybrid'"),
    ],
)
def test_a_changed_setting_is_refused_with_both_values(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    create(tmp_path)
    with pytest.raises(UserError, match=f"(?s){message}.*another --workdir"):
        create(tmp_path, **change)


def test_what_needs_no_images_works_without_them(tmp_path: Path, save_images: Callable[..., Path]) -> None:
    data = save_images(8)
    create(tmp_path / "work", data=str(data), max_images=None)
    data.rename(tmp_path / "elsewhere")
    assert open_project(Workdir(tmp_path / "work")).class_names == ("cat", "dog")


def test_a_folder_that_no_command_has_begun(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.train_supernet --workdir"):
        open_project(Workdir(tmp_path))


def test_a_cut_before_the_splits_were_written_begins_anew(tmp_path: Path) -> None:
    create(tmp_path)
    (tmp_path / "data" / "done.json").unlink()
    (tmp_path / "data" / "splits.json").unlink()
    assert len(create(tmp_path).dataset().train) == 50


def test_the_remedies_of_a_refusal_work(tmp_path: Path) -> None:
    """What a first attempt was begun with binds nobody: nothing came of it."""
    images = np.random.default_rng(0).uniform(2048, 4095, (60, 8, 8))
    images[59, 0, 0] = np.nan
    np.savez(tmp_path / "p.npz", images=images, labels=np.arange(60) % 2)
    flags: dict[str, Any] = {"data": str(tmp_path / "p.npz"), "max_images": None}
    with pytest.raises(UserError, match="--bit-depth N"):
        create(tmp_path / "work", **flags)
    with pytest.raises(UserError, match=r"\(NaN\).*--skip-corrupt"):
        create(tmp_path / "work", **flags, bit_depth=12)
    with pytest.warns(UserWarning, match="skipped 1 image"):
        create(tmp_path / "work", **flags, bit_depth=12, skip_corrupt=True)
    with pytest.raises(UserError, match="skip_corrupt: was True, now False"):
        create(tmp_path / "work", **flags, bit_depth=12)


def test_prepared_images(tmp_path: Path) -> None:
    """Normalised by the training images' mean and deviation, at any resolution, all of them."""
    project = create(tmp_path)
    train = project.dataset().train
    prepared = project.prepared(train, 8)
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepared.mean(), 0.0, atol=1e-4)
    np.testing.assert_allclose(prepared.std(), 1.0, atol=1e-4)
    expected = (train.images[7] / 255 - project.mean[0]) / project.std[0]
    np.testing.assert_allclose(prepared[7], expected, atol=1e-5)
    assert project.prepared(train, 12).shape == (50, 12, 12, 1)


@pytest.mark.parametrize("name", ["classification", "detection", "segmentation"])
def test_a_project_can_be_sent_to_another_process(tmp_path: Path, name: Task) -> None:
    """With its task, of which each process has one: what is compiled for it is found again."""
    begun = create(tmp_path / "work")
    begun = dataclasses.replace(begun, task_name=name, class_weights=(1.0,) * begun.num_classes)
    assert pickle.loads(pickle.dumps(begun)).task is begun.task
    assert begun.task.name == name
