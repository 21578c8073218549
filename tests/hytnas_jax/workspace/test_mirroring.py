"""A work folder's decision about mirroring: made once, told, kept, and refused where it would be another."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrows import save_arrows

from hytnas_jax import train_supernet
from hytnas_jax.data import Place, Wish, first_look
from hytnas_jax.data.choosing import look_at
from hytnas_jax.data.readers.digits import DigitsSource
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.workspace.mirroring import mirroring_of, read_mirroring
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError


def create(tmp_path: Path, data: Path, **flags: Any) -> Project:
    project, _ = create_project(
        Workdir(tmp_path / "work"),
        DataConfig(tmp_path / "work", data=str(data), space="hybrid-small", resolutions=(16,), **flags),
        seed=0,
    )
    return project


def test_auto_is_told_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = save_arrows(tmp_path / "arrows", 5)
    project = create(tmp_path, data, mirror="auto")
    said = "off, since class 'turn_left' names a side or a direction"
    assert f"mirroring of training images: {said} (otherwise: --mirror on)\n" in capsys.readouterr().out
    assert not project.mirror
    assert read_mirroring(project.workdir.step("data")).in_words() == said
    for again in ("auto", "off"):
        assert not create(tmp_path, data, mirror=again).mirror
        assert "mirroring" not in capsys.readouterr().out
    with pytest.raises(UserError, match=r"(?s)mirror: was 'off', now 'on'.*another --workdir"):
        create(tmp_path, data, mirror="on")
    assert read_mirroring(project.workdir.step("data")).in_words() == said


def test_what_the_user_said_stays_where_auto_would_choose_otherwise(tmp_path: Path) -> None:
    data = save_arrows(tmp_path / "arrows", 5)
    assert create(tmp_path, data, mirror="on").mirror
    assert create(tmp_path, data).mirror
    assert read_mirroring(Workdir(tmp_path / "work").step("data")).reason == "as --mirror says"
    with pytest.raises(UserError, match="mirror: was 'on', now 'off'"):
        create(tmp_path, data, mirror="off")


def test_a_wrong_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--mirror no: must be one of auto, on, off"):
        mirroring_of(Workdir(tmp_path).step("data"), "no", Place("nowhere", None), None, Wish())


def test_a_tensorflow_data_set_is_known_with_its_configuration(tmp_path: Path) -> None:
    class Letters(DigitsSource):
        """What emnist/letters looks like to the program: its classes are numbers, its name is emnist."""

        def __init__(self) -> None:
            super().__init__()
            self.class_names = tuple(map(str, range(37)))

    place = Place("tfds:emnist/letters:3", None)
    decided = mirroring_of(Workdir(tmp_path).step("data"), "auto", place, look_at(Letters()), Wish())
    assert (
        decided.in_words() == "off, since the data set's name, 'emnist/letters', is that of writing or signs"
    )


def test_images_that_were_refused_decide_nothing(tmp_path: Path) -> None:
    """Neither mirroring, which is decided anew, nor the settings, of which the refusal asks for another."""
    data = save_arrows(tmp_path / "images", 30, names=("class_1", "class_2"))
    (data / "class_1" / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="--skip-corrupt"):
        create(tmp_path, data, mirror="on")
    with pytest.warns(UserWarning, match="skipped 1 image"):
        project = create(tmp_path, data, skip_corrupt=True)
    assert not project.mirror
    assert "look like other classes" in read_mirroring(project.workdir.step("data")).reason


def test_values_are_read_for_it_as_for_the_training_and_warned_of_once(tmp_path: Path) -> None:
    """Arrows of 12 bits in 16: unscaled, little of them is left."""
    rows, columns = np.mgrid[:12, :12]
    left = (rows + columns < 11).astype(np.uint16) * 4095
    images = np.stack([left, left[:, ::-1]] * 20)
    path = tmp_path / "twelve.npz"
    np.savez(path, images=images, labels=np.arange(40) % 2)
    with pytest.warns(UserWarning, match="--bit-depth 12") as warned:
        create(tmp_path, path)
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step, place = Workdir(tmp_path / "other").step("data"), Place(str(path), None)
        decided = mirroring_of(step, "auto", place, first_look(place.data), Wish(bit_depth=12))
    assert decided.setting == "off"


def test_the_flag_reaches_the_main_job() -> None:
    assert train_supernet.Config(Path("w")).data_flags()["mirror"] == "auto"
