"""Arrays: which keys, shapes and dtypes work, and what is said about those that do not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.data import first_look, load_dataset
from supernet.errors import UserError

SaveNpz = Callable[..., str]
LABELS = np.arange(12) % 2


def grey(count: int = 12, side: int = 6) -> np.ndarray:
    return np.arange(count * side * side, dtype=np.uint8).reshape(count, side, side)


@pytest.mark.parametrize("shape", [(12, 6, 6), (12, 6, 6, 1)])
def test_grey_images_come_through_unchanged(save_npz: SaveNpz, shape: tuple[int, ...]) -> None:
    data = load_dataset(save_npz(images=grey().reshape(shape), labels=LABELS), side=None)
    assert data.train.images.shape == (8, 6, 6, 1)
    assert data.class_names == ("0", "1")
    row = int(data.files["test"][0].removeprefix("images[").removesuffix("]"))
    np.testing.assert_array_equal(data.test.images[0, ..., 0], grey()[row])
    assert data.test.labels[0] == LABELS[row]


def test_float_colour_and_stored_splits(save_npz: SaveNpz) -> None:
    images = np.full((12, 5, 7, 3), 0.2, np.float32)
    arrays = {"x_train": images, "y_train": LABELS[:, None], "x_val": images, "y_val": LABELS}
    path = save_npz(**arrays, x_test=images[:4], y_test=LABELS[:4], class_names=["cat", "dog"])
    data = load_dataset(path, side=None)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [12, 12, 4]
    assert data.class_names == ("cat", "dog")
    assert (data.train.images == 51).all()
    assert data.train.images.shape == (12, 5, 5, 3)
    np.testing.assert_allclose(data.mean, 0.2)
    np.testing.assert_allclose(data.std, 1 / 255)  # no contrast: kept off zero


def test_labels_need_not_start_at_zero(save_npz: SaveNpz) -> None:
    data = load_dataset(save_npz(images=grey(), labels=LABELS * 4 + 3), side=None)
    assert data.class_names == ("3", "7")
    assert set(data.train.labels) == {0, 1}


@pytest.mark.parametrize("dtype", [int, np.uint16, np.uint64, float, np.float16])
def test_the_same_image_in_any_type(save_npz: SaveNpz, dtype: type) -> None:
    expected = load_dataset(save_npz(images=grey(), labels=LABELS), side=None)
    data = load_dataset(save_npz(images=grey().astype(dtype), labels=LABELS), side=None)
    np.testing.assert_array_equal(data.train.images, expected.train.images)


def test_bool_is_black_and_white(save_npz: SaveNpz) -> None:
    images = np.broadcast_to(np.eye(4, dtype=bool), (12, 4, 4))
    data = load_dataset(save_npz(images=images, labels=LABELS), side=None)
    np.testing.assert_array_equal(data.train.images[0, ..., 0], 255 * np.eye(4))


def test_one_image_that_is_not_a_number_is_named(save_npz: SaveNpz) -> None:
    images = np.full((12, 4, 4, 3), 0.5)
    images[7, 1, 2, 0] = np.nan
    path = save_npz(images=images, labels=LABELS)
    with pytest.raises(UserError, match=r"image images\[7\] cannot be read \(1 of its 48 values"):
        load_dataset(path, side=None)
    with pytest.warns(UserWarning, match=r"skipped 1 image.*images\[7\] \(1 of"):
        assert load_dataset(path, side=None, skip_corrupt=True).skipped == ("images[7]",)


def test_a_side_is_known_whatever_the_values(save_npz: SaveNpz) -> None:
    path = save_npz(images=np.full((12, 9, 6), np.nan), labels=LABELS)
    assert first_look(path).native_side("auto") == 6


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": grey()}, r"has the keys images; keys are x_train"),
        ({"x_train": grey()}, "has x_train but not y_train"),
        ({"images": grey(), "labels": LABELS[:5]}, "12 images but labels has 5 labels"),
        ({"images": grey()[0], "labels": LABELS}, r"images has shape \(6, 6\), dtype uint8"),
        ({"images": np.zeros((12, 6, 6, 4), np.uint8), "labels": LABELS}, r"\(12, 6, 6, 4\)"),
        ({"images": np.zeros((0, 6, 6), np.uint8), "labels": LABELS[:0]}, r"\(0, 6, 6\)"),
        ({"images": grey().astype(str), "labels": LABELS}, "images has .*dtype <U.*wanted .*integers"),
        ({"images": grey() * 1j, "labels": LABELS}, "images has .*dtype complex128"),
        ({"images": grey() * np.nan, "labels": LABELS}, r"image images\[.*36 values are no numbers"),
        ({"images": grey(), "labels": LABELS * 0.5}, "labels has shape.*dtype float64"),
        ({"images": grey(), "labels": LABELS * 0}, r"found 1 class \(0\)"),
        ({"images": grey(), "labels": LABELS * 2, "class_names": ["a", "b"]}, "has the label 2"),
        (
            {"x_train": grey(), "y_train": LABELS, "x_val": grey(), "y_val": LABELS + 1},
            "y_val has the label 2",
        ),
        (
            {
                "x_train": grey(),
                "y_train": LABELS,
                "x_test": np.zeros((12, 6, 6, 3), np.uint8),
                "y_test": LABELS,
            },
            "x_test has 3 channels but x_train has 1",
        ),
        ({"images": np.array([None] * 12), "labels": LABELS}, "images has shape .*dtype object"),
        ({"images": grey(), "labels": np.array([None] * 12)}, "labels cannot be read"),
    ],
)
def test_what_does_not_work(save_npz: SaveNpz, arrays: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_dataset(save_npz(**arrays), side=None)


def test_not_an_npz(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match=r"not a readable \.npz"):
        load_dataset(str(path), side=None)
    with path.open("wb") as file:
        np.save(file, grey())
    with pytest.raises(UserError, match="holds a single array"):
        load_dataset(str(path), side=None)


def test_class_names_of_bytes_are_text(save_npz: SaveNpz) -> None:
    names = np.array(["café".encode(), b"dog"])
    assert load_dataset(save_npz(images=grey(), labels=LABELS, class_names=names), side=None).class_names == (
        "café",
        "dog",
    )


def test_two_classes_of_one_name_are_refused(save_npz: SaveNpz) -> None:
    with pytest.raises(UserError, match="class_names has 'cat' twice"):
        load_dataset(save_npz(images=grey(), labels=LABELS, class_names=["cat", "cat"]), side=None)
