"""The scale of values and the fit to a square are chosen for the data set, never for an image."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from hytnas_jax.data import Dataset, Wish, first_look, load_dataset
from hytnas_jax.data.choosing import choose_fit, look_at
from hytnas_jax.data.readers.folder import FolderSource
from supernet.errors import UserError

SaveImages = Callable[..., Path]
SaveNpz = Callable[..., str]
LABELS = np.arange(20) % 2


@pytest.fixture
def save_values(tmp_path: Path) -> Callable[..., str]:
    """save_values(float_images, sixteen_bits, ...): each image in turn to the one and the other class."""

    def save(*stacks: np.ndarray) -> str:
        for number, image in enumerate(image for stack in stacks for image in stack):
            folder = tmp_path / "images" / ("dim", "bright")[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            suffix = "tif" if image.dtype.kind == "f" else "png"
            Image.fromarray(image).save(folder / f"{number:02}.{suffix}")
        return str(tmp_path / "images")

    return save


def ramp(low: float, high: float, dtype: type, *, count: int = 20) -> np.ndarray:
    """Images whose values run from low to high, and there alone to high."""
    return np.broadcast_to(np.linspace(low, high, 16).reshape(4, 4), (count, 4, 4)).astype(dtype)


def load(source: str, **options: object) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_dataset(source, side=None, **options)


@pytest.mark.parametrize(
    ("low", "high", "dtype", "white"),
    [
        (0, 1, np.float32, 1),
        (0, 0.4, np.float32, 1),
        (0, 255, np.float32, 255),
        (0, 200, np.float64, 255),
        (0, 1, np.float16, 1),
        (0, 65535, np.uint16, 65535),
        (0, 255, np.uint16, 255),
        (0, 255, np.int64, 255),
        (0, 60000, np.int32, 65535),
    ],
)
def test_the_scale_is_that_of_most_images(
    save_npz: SaveNpz, low: float, high: float, dtype: type, white: int
) -> None:
    values = ramp(low, high, dtype)
    data = load(save_npz(images=values, labels=LABELS))
    found = data.rule.float_white if np.dtype(dtype).kind == "f" else data.rule.integer_white
    assert found == white
    expected = np.rint(values[0].astype(float) * 255 / white)
    np.testing.assert_array_equal(data.train.images[0, ..., 0], expected)


@pytest.mark.parametrize(
    ("dtype", "bits"), [(np.uint16, 10), (np.uint16, 12), (np.float32, 16), (np.int32, 20)]
)
def test_the_bit_depth_that_is_given(save_npz: SaveNpz, dtype: type, bits: int) -> None:
    values = ramp(0, 2**bits - 1, dtype)
    data = load(save_npz(images=values, labels=LABELS), wish=Wish(bit_depth=bits))
    assert (data.rule.integer_white, data.rule.float_white) == (2**bits - 1, 2**bits - 1)
    assert data.train.images.min() == 0
    assert data.train.images.max() == 255


@pytest.mark.parametrize("bits", [0, -8, 33])
def test_bit_depths_out_of_range(bits: int) -> None:
    with pytest.raises(UserError, match=f"bit_depth={bits} .*wanted 1 to 32"):
        load_dataset("digits", side=8, wish=Wish(bit_depth=bits))


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (ramp(0, 40000, np.float32, count=1), "values are 0 to 40000; floats are 0 to 1"),
        (ramp(0, 1.02, np.float32, count=1), r"values are 0 to 1\.02; floats are 0 to 1"),
        (ramp(-0.1, 1, np.float32, count=1), r"values are -0\.1 to 1; floats"),
        (ramp(300, 56000, np.float32, count=1), "values are 300 to 56000; floats"),
    ],
)
def test_what_does_not_fit_the_scale_is_named_and_skipped(
    save_values: Callable[..., str], odd: np.ndarray, reason: str
) -> None:
    path = save_values(ramp(0, 1, np.float32), odd)
    with pytest.raises(
        UserError, match=rf"dim/20\.tif cannot be read.*{reason}.*--bit-depth.*--skip-corrupt"
    ):
        load(path)
    with pytest.warns(UserWarning, match=rf"skipped 1 image.*dim/20\.tif \(its {reason}"):
        data = load_dataset(path, side=4, skip_corrupt=True)
    assert data.skipped == ("dim/20.tif",)
    assert data.train.images.max() == 255


def test_floats_of_no_known_range_are_refused_and_not_white(save_values: Callable[..., str]) -> None:
    path = save_values(ramp(300, 56000, np.float32))
    with pytest.raises(UserError, match=r"values are 300 to 56000; floats are 0 to 1 .*--bit-depth N"):
        load(path)
    data = load(path, wish=Wish(bit_depth=16))
    assert (data.train.images.min(), data.train.images.max()) == (1, 218)


def test_two_scales_in_one_data_set_are_refused(save_values: Callable[..., str]) -> None:
    """Were all of them 0 to 255, those of 0 to 1 would be black."""
    path = save_values(ramp(0, 255, np.float32), ramp(0, 1, np.float32, count=10))
    with (
        pytest.warns(UserWarning, match="10 of 30 float images .*store all images on one"),
        pytest.raises(
            UserError, match=r"2\d\.tif cannot be read \(its values are 0 to 1, as if white were 1"
        ),
    ):
        load_dataset(path, side=4)


def test_values_that_use_little_of_the_range(save_values: Callable[..., str]) -> None:
    path = save_values(ramp(0, 1023, np.uint16))
    message = r"20 of 20 integer images .* eighth of the range 0 to 65535 .*1023.*--bit-depth 10"
    with pytest.warns(UserWarning, match=message):
        load_dataset(path, side=4)
    assert load(path, wish=Wish(bit_depth=10)).train.images.max() == 255


def test_some_values_that_use_little_of_the_range(save_npz: SaveNpz) -> None:
    images = np.concatenate([ramp(0, 65535, np.uint16, count=15), ramp(0, 1000, np.uint16, count=5)])
    with pytest.warns(UserWarning, match="5 of 20 integer images .*store all images on one"):
        load_dataset(save_npz(images=images, labels=LABELS), side=4)


def test_only_wide_images_are_decoded_to_choose(
    save_values: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_values(ramp(0, 255, np.uint8, count=14), ramp(0, 65535, np.uint16, count=6))
    decoded = []
    pixels = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image) or pixels(image))
    looked = look_at(FolderSource(Path(path)))
    assert looked.peaks == {"integer": [65535] * 6, "float": []}
    assert {image.mode for image in decoded} == {"I;16"}


ONE, OTHER = (64, 128), (128, 64)


@pytest.mark.parametrize(
    ("shapes", "fit"),
    [
        ([ONE] * 10, "stretch"),  # crops of persons
        ([(3, 4), (30, 40)], "stretch"),
        ([(16, 9)] * 9 + [(1, 1)], "stretch"),
        ([(60, 128), (64, 120), (70, 140)], "stretch"),
        ([(8, 8)] * 10, "crop"),
        ([(30, 32)] * 10, "crop"),
        ([(50, 40)] * 10, "crop"),  # a fifth is cut off
        ([ONE, OTHER] * 5, "crop"),
        ([ONE] * 8 + [OTHER] * 2, "crop"),
        ([(640, 480)] * 6 + [(480, 640)] * 4, "crop"),
        ([(1, 5000)], "stretch"),
    ],
)
def test_the_fit_goes_by_the_shapes(shapes: list[tuple[int, int]], fit: str) -> None:
    assert choose_fit(np.array(shapes)) == fit


def test_portraits_are_stretched_and_the_user_may_say_otherwise(save_images: SaveImages) -> None:
    root = save_images("cat", 5, size=(16, 32))
    save_images("dog", 5, size=(16, 32))
    data = load(str(root))
    assert (data.rule.fit, data.native_side, data.cut) == ("stretch", 16, 0.5)
    assert load(str(root), wish=Wish("crop")).rule.fit == "crop"
    padded = load(str(root), wish=Wish("pad"))
    assert (padded.rule.fit, padded.native_side) == ("pad", 32)
    assert first_look(str(root)).native_side("pad") == 32
    assert first_look(str(root)).native_side("auto") == 16
    assert (padded.train.images[:, :, :8] == 0).all()
    assert padded.train.images[:, :, 8:24, 2].min() == 200


def test_the_fit_sees_images_as_they_are_shown(tmp_path: Path) -> None:
    """Half of the portraits are stored lying, with the orientation that turns them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(6):
            size, options = ((16, 32), {}) if number % 2 else ((32, 16), {"exif": exif})
            Image.new("RGB", size).save(tmp_path / label / f"{number}.jpg", **options)
    assert load(str(tmp_path)).rule.fit == "stretch"


@pytest.mark.parametrize(("peak", "is_told"), [(1, True), (15, True), (31, True), (32, False), (255, False)])
def test_eight_bits_of_which_hardly_any_are_used(save_npz: SaveNpz, peak: int, is_told: bool) -> None:
    path = save_npz(images=ramp(0, peak, np.uint8), labels=LABELS)
    data = load(path)
    told = [remark for remark in data.remarks if f"largest value of all training images is {peak}," in remark]
    assert bool(told) is is_told
    assert not any("largest value" in remark for remark in load(path, remark=False).remarks)
