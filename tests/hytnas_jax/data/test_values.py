"""Values of more than 8 bits and floats: one scale for a data set, and what does not fit it is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data.decode import ImageRule, OutOfRange, Unreadable, to_array, wide_values

RULE = ImageRule(4, 1)


def png_of_16_bits(values: np.ndarray) -> Image.Image:
    """[H, W, 3] or [H, W, 2] (grey and alpha), which Pillow reads and does not write."""
    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return Image.open(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(parts)))


def saved(values: np.ndarray, file_format: str = "TIFF", **options: object) -> Image.Image:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, file_format, **options)
    return Image.open(buffer)


@pytest.mark.parametrize(("value", "grey"), [(65535, 255), (257 * 100, 100), (0, 0)])
@pytest.mark.parametrize("dtype", [np.uint16, ">u2", np.int32])
def test_integers_are_scaled_not_clipped(value: int, grey: int, dtype: str) -> None:
    values = np.full((4, 4), value, dtype)
    for image in (values, saved(values)):
        assert (to_array(image, RULE) == grey).all()
    if dtype is np.uint16:
        assert (to_array(saved(values, "PNG"), RULE) == grey).all()


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_bit_depths(bits: int) -> None:
    white = 2**bits - 1
    values = np.full((4, 4), white, np.uint16)
    values[0] = 0
    array = to_array(values, ImageRule(4, 1, integer_white=white))
    assert (array[0] == 0).all()
    assert (array[1:] == 255).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("white", [1, 255, 65535])
def test_floats(dtype: type, white: int) -> None:
    if dtype is np.float16 and white == 65535:
        pytest.skip("its largest number is 65504")
    values = np.full((4, 4), 0.2 * white, dtype)
    rule = ImageRule(4, 1, float_white=white)
    assert (to_array(values, rule) == 51).all()
    if dtype is np.float32:
        assert (to_array(saved(values), rule) == 51).all()


def test_colours_in_arrays() -> None:
    values = np.full((4, 4, 3), (0.0, 0.2, 1.0), np.float32)
    np.testing.assert_array_equal(to_array(values, ImageRule(4, 3))[1, 2], (0, 51, 255))
    assert (to_array(np.ones((4, 4, 3), bool), ImageRule(4, 3)) == 255).all()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([0.0, np.inf], RULE),
        ([-np.inf, 0.5], RULE),
        ([0.0, 1.02], RULE),
        ([-0.1, 1.0], RULE),
        ([0.0, 255.0], RULE),
        ([0.0, 300.0], ImageRule(4, 1, float_white=255)),
        ([0.0, 0.5], ImageRule(4, 1, float_white=255)),  # one of 0..1 among those of 0..255
        ([0.0, 1.02], ImageRule(4, 1, float_white=255)),
        ([0.0, 1.02], ImageRule(4, 1, float_white=65535)),
    ],
)
def test_floats_out_of_range_are_refused(values: list[float], rule: ImageRule) -> None:
    image = np.array([values] * 2, np.float32)
    for form in (image, saved(image)):
        with pytest.raises(OutOfRange, match=f"values are .*floats are 0 to {rule.float_white}"):
            to_array(form, rule)


def test_dark_images_are_not_refused() -> None:
    """All black, and counts of 0 and 1, are on the scale 0 to 255 too."""
    for high in (0, 1):
        values = np.array([[0, high]] * 2, np.float32)
        assert to_array(values, ImageRule(2, 1, float_white=255)).max() == high


def test_what_is_no_number_is_refused() -> None:
    values = np.array([[np.nan, 0.5]] * 2, np.float32)
    for form in (values, saved(values)):
        with pytest.raises(Unreadable, match=r"^2 of its 4 values are no numbers \(NaN\)$"):
            to_array(form, RULE)


def test_what_rounds_to_the_range_is_in_it() -> None:
    values = np.array([[-1e-6, 1.0000001], [0.5, 1.001]])
    np.testing.assert_array_equal(to_array(values, ImageRule(2, 1))[..., 0], [[0, 255], [128, 255]])


@pytest.mark.parametrize(
    ("low", "high", "white"), [(0, 5000, 4095), (-200, 5, 65535), (0, 70000, 65535), (0, 256, 255)]
)
def test_integers_out_of_range_are_refused(low: int, high: int, white: int) -> None:
    values = np.array([[low, high]] * 2, np.int32)
    for form in (values, saved(values)):
        with pytest.raises(OutOfRange, match=f"values are {low} to {high}; integers .* 0 to {white} in this"):
            to_array(form, ImageRule(4, 1, integer_white=white))


def test_transparent_value_of_16_bits_becomes_white() -> None:
    values = np.array([[0, 500], [500, 65535]], np.uint16)
    image = saved(values, "PNG", transparency=500)
    np.testing.assert_array_equal(to_array(image, ImageRule(2, 1))[..., 0], [[0, 255], [255, 255]])


def test_colours_of_16_bits() -> None:
    """Pillow keeps the upper eight bits: right for 0 to 65535, and refused for anything else."""
    values = np.full((4, 4, 3), (257 * 3, 257 * 77, 65535), np.uint16)
    np.testing.assert_array_equal(to_array(png_of_16_bits(values), ImageRule(4, 3))[1, 2], (3, 77, 255))
    with pytest.raises(OutOfRange, match=r"upper eight only.*\.npz"):
        to_array(png_of_16_bits(values), ImageRule(4, 3, integer_white=4095))


def test_colours_of_16_bits_in_all_are_no_wide_ones() -> None:
    """A BMP with 5, 6 and 5 bits for red, green and blue."""
    pixels = struct.pack("<4H", 0xF800, 0x07E0, 0x001F, 0xFFFF)
    header = struct.pack("<IiiHHIIiiII3I", 40, 2, -2, 1, 16, 3, 8, 0, 0, 0, 0, 0xF800, 0x07E0, 0x001F)
    file = b"BM" + struct.pack("<IHHI", 74, 0, 0, 66) + header + pixels
    assert wide_values(Image.open(io.BytesIO(file))) is None
    array = to_array(Image.open(io.BytesIO(file)), ImageRule(2, 3, integer_white=1023))
    np.testing.assert_array_equal(array.reshape(4, 3), [*(255 * np.eye(3)), (255, 255, 255)])


def test_what_counts_as_wide() -> None:
    wide = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    for mode, dtype in wide.items():
        image = saved(np.full((4, 4), 3, dtype))
        assert image.mode == mode
        assert wide_values(image).max() == 3
    assert wide_values(png_of_16_bits(np.full((4, 4, 3), 1023, np.uint16))).max() == 3 * 257
    assert wide_values(png_of_16_bits(np.full((4, 4, 2), (1023, 65535), np.uint16))).max() == 3 * 257
    assert wide_values(np.full((4, 4), 3, np.int64)).max() == 3
    assert wide_values(saved(np.full((4, 4), 3, np.uint8))) is None
    assert wide_values(np.ones((4, 4), bool)) is None
