"""Whole data sets: digits, statistics, what is written down, arguments out of range."""

import json
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.data import first_look, load_dataset, loading
from hytnas_jax.data.labelled import channel_statistics
from supernet.errors import UserError


def test_digits() -> None:
    data = load_dataset("digits", side=None)
    assert first_look("digits").native_side("auto") == data.native_side == 8
    assert data.train.images.shape[1:] == (8, 8, 1)
    assert data.train.images.max() == 255
    assert len(data.train) + len(data.validation) + len(data.test) == 1797
    assert data.train.labels.dtype == np.int32
    assert set(data.test.labels) == set(range(10))
    np.testing.assert_allclose(data.mean, data.train.images.mean() / 255)
    np.testing.assert_allclose(data.std, data.train.images.std() / 255)


def test_splits_are_disjoint_and_repeatable() -> None:
    first, again = load_dataset("digits", side=8), load_dataset("digits", side=8)
    files = [file for split in first.files.values() for file in split]
    assert len(files) == len(set(files)) == 1797
    assert first.files == again.files
    np.testing.assert_array_equal(first.validation.images, again.validation.images)
    assert load_dataset("digits", side=8, seed=1).files != first.files


def test_side_and_max_images() -> None:
    data = load_dataset("digits", side=16, max_images=50)
    assert data.train.images.shape == (50, 16, 16, 1)
    assert set(data.validation.labels) == set(range(10))
    assert data.native_side == 8


def test_splits_to_json() -> None:
    data = load_dataset("digits", side=12, max_images=20)
    written = json.loads(json.dumps(data.splits_to_json()))
    assert written["splits"]["train"] == list(data.files["train"])
    assert len(written["splits"]["test"]) == len(data.test)
    assert written["class_names"] == [str(digit) for digit in range(10)]
    assert (written["native_side"], written["skipped"]) == (8, [])
    assert written["image"] == {
        "side": 12, "channels": 1, "fit": "crop", "integer_white": 65535, "float_white": 1
    }  # fmt: skip
    assert written["mean"] == list(data.mean)


def test_progress_counts_up_to_all() -> None:
    seen: list[tuple[int, int]] = []
    load_dataset("digits", side=8, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (1797, 1797)


def test_channel_statistics_by_hand() -> None:
    images = np.zeros((2, 1, 1, 3), np.uint8)
    images[1, 0, 0] = (255, 51, 0)
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, (0.5, 0.1, 0.0))
    np.testing.assert_allclose(std, (0.5, 0.1, 1 / 255))  # no contrast: kept off zero


def test_too_little_memory_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "available_memory", lambda: 1_000_000)
    with pytest.raises(UserError, match=r"1797 images of 224x224x1 need 0\.1 GB.*--max-images"):
        load_dataset("digits", side=224)
    assert len(load_dataset("digits", side=64, max_images=20).train) == 20


def test_available_memory_is_plausible() -> None:
    available = loading.available_memory()
    assert available is None or 2**20 < available < 2**50


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nope", "source='nope': no such file or folder; allowed are: digits"),
        (__file__, r"is a file, but not a \.npz; allowed are"),
        ("tfds:", "no name after tfds:"),
    ],
)
def test_unknown_sources(source: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_dataset(source, side=None)


def test_data_dir_is_for_tfds_alone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is for tfds:NAME only, source is 'digits'"):
        first_look("digits", data_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": 0}, "side=0"),
        ({"side": 8, "seed": -1}, "seed=-1"),
        ({"side": 8, "max_images": 9}, "max_images=9: wanted at least 10"),
        ({"side": 8, "validation_fraction": 0.9}, "leave nothing to train on"),
    ],
)
def test_arguments_out_of_range(arguments: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_dataset("digits", **arguments)
