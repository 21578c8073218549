"""TensorFlow Datasets prepared as ArrayRecord: small ones made here, real ones where they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_tfds import SPLITS, prepare

from hytnas_jax.data import first_look, load_dataset
from supernet.errors import UserError


def test_wake_visions_layout(tmp_path: Path) -> None:
    data = load_dataset("tfds:tiny", side=None, data_dir=prepare(tmp_path))
    assert data.name == "tiny"
    assert data.class_names == ("No", "Yes")
    assert data.native_side == 9
    assert len(data.train) + len(data.test) == SPLITS["train_quality"]
    assert len(data.validation) == SPLITS["validation"]
    assert data.train.images.shape[1:] == (9, 9, 3)
    for images, labels in ((data.train.images, data.train.labels), (data.test.images, data.test.labels)):
        np.testing.assert_array_equal(images[:, 4, 4, 0] // 10 % 2, labels)
    assert data.files["validation"] == tuple(f"validation[{i}]" for i in range(4))


def test_the_newest_version_unless_one_is_named(tmp_path: Path) -> None:
    for version in ("2.0.0", "10.0.0"):
        prepare(tmp_path, version=version)
    assert first_look("tfds:tiny", data_dir=str(tmp_path)).native_side("auto") == 9
    info = tmp_path / "tiny" / "10.0.0" / "dataset_info.json"
    info.write_text("damaged")
    with pytest.raises(UserError, match=r"10\.0\.0: cannot be read"):
        first_look("tfds:tiny", data_dir=str(tmp_path))
    assert first_look("tfds:tiny:2.0.0", data_dir=str(tmp_path)).native_side("auto") == 9


def test_a_split_without_labels_counts_as_missing(tmp_path: Path) -> None:
    data = load_dataset("tfds:tiny", side=4, data_dir=prepare(tmp_path, unlabelled_test=True))
    assert all(file.startswith("train_quality[") for file in data.files["test"])


def test_not_prepared_says_how_to(tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(UserError) as error:
        load_dataset("tfds:nope", side=None, data_dir=str(tmp_path))
    for part in (
        str(tmp_path / "nope" / "<version>" / "dataset_info.json"),
        "prepared in it: tiny:1.0.0",
        "download_and_prepare(file_format='array_record')",
    ):
        assert part in str(error.value)
    with pytest.raises(UserError, match=r"tiny/3\.0\.0/dataset_info\.json, which is not there"):
        load_dataset("tfds:tiny:3.0.0", side=None, data_dir=str(tmp_path))


def test_other_label_keys_are_listed(tmp_path: Path) -> None:
    data_dir = prepare(tmp_path, label_key="species")
    with pytest.raises(UserError, match=r"under label or person \(its keys: image, species\)"):
        load_dataset("tfds:tiny", side=None, data_dir=data_dir)


def test_another_file_format_is_refused(tmp_path: Path) -> None:
    data_dir = prepare(tmp_path)
    info_path = tmp_path / "tiny" / "1.0.0" / "dataset_info.json"
    info = json.loads(info_path.read_text())
    info_path.write_text(json.dumps({**info, "fileFormat": "tfrecord"}))
    with pytest.raises(UserError, match="file_format='array_record'"):
        load_dataset("tfds:tiny", side=None, data_dir=data_dir)


@pytest.mark.parametrize("damage", ["deleted", "cut"])
def test_damaged_records(tmp_path: Path, damage: str) -> None:
    data_dir = prepare(tmp_path)
    (records,) = (tmp_path / "tiny" / "1.0.0").glob("*train_quality*")
    if damage == "deleted":
        records.unlink()
    else:
        records.write_bytes(records.read_bytes()[:200])
    with pytest.raises(UserError, match="train_quality"):
        load_dataset("tfds:tiny", side=None, data_dir=data_dir)


@pytest.mark.parametrize(
    ("name", "side", "num_classes", "stored"),
    [("person_proxy", 64, 2, ("train", "val")), ("cifar10:3.0.2", 32, 10, ("train", "test"))],
)
def test_real_data(real_data: Path, name: str, side: int, num_classes: int, stored: tuple[str, ...]) -> None:
    data_dir = str(real_data / "tfds")
    assert first_look(f"tfds:{name}", data_dir=data_dir).native_side("auto") == side
    data = load_dataset(f"tfds:{name}", side=None, data_dir=data_dir, max_images=300)
    assert len(data.train) == 300
    assert len(data.class_names) == num_classes
    counts = np.bincount(data.train.labels, minlength=num_classes)
    assert counts.min() > 0.8 * 300 / num_classes
    origins = {file.split("[")[0] for files in data.files.values() for file in files}
    assert origins == set(stored)
