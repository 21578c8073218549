"""Pictures of every mode come out as the right 8-bit values."""

import io

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data.decode import UNREADABLE, to_array


def stored(image: Image.Image, file_format: str = "PNG", **options: object) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return Image.open(buffer)


def test_grey_becomes_three_equal_channels() -> None:
    array = to_array(stored(Image.new("L", (4, 4), 77)), side=4, channels=3)
    assert array.shape == (4, 4, 3)
    assert array.dtype == np.uint8
    assert (array == 77).all()


def test_grey_stays_one_channel() -> None:
    assert to_array(Image.new("L", (4, 4), 77), side=2, channels=1).shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("image", "rgb"),
    [
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), (255, 0, 0)),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 51)), (204, 204, 204)),  # one fifth black on white
        (Image.new("LA", (4, 4), (0, 0)), (255, 255, 255)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("RGB", (4, 4), (1, 2, 3)).quantize(2), (1, 2, 3)),
    ],
    ids=["transparent", "opaque", "half", "grey-alpha", "bits", "palette"],
)
def test_alpha_and_palette(image: Image.Image, rgb: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(to_array(stored(image), side=4, channels=3)[1, 2], rgb)


def test_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([9, 9, 9])
    decoded = to_array(stored(image, "GIF", transparency=0), side=4, channels=3)
    assert (decoded == 255).all()


def test_cmyk_jpeg() -> None:
    image = stored(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")  # magenta + yellow: red
    red, green, blue = to_array(image, side=4, channels=3)[1, 1]
    assert red > 240
    assert green < 15
    assert blue < 15


@pytest.mark.parametrize(("value", "grey"), [(65535, 255), (257 * 100, 100), (0, 0)])
def test_sixteen_bits_are_scaled_not_clipped(value: int, grey: int) -> None:
    image = stored(Image.fromarray(np.full((4, 4), value, np.uint16)))
    assert (to_array(image, side=4, channels=3) == grey).all()


def test_float_tiff() -> None:
    image = stored(Image.fromarray(np.full((4, 4), 0.2, np.float32)), "TIFF")
    assert (to_array(image, side=4, channels=1) == 51).all()


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (32, 32), "black")
    image.paste("white", (0, 0, 32, 16))  # the upper half
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    array = to_array(stored(image, "JPEG", exif=exif), side=32, channels=3)
    assert array[4].mean() < 10
    assert array[-4].mean() > 245


def test_shorter_side_is_resized_and_the_middle_kept() -> None:
    image = Image.new("RGB", (30, 10), "black")
    image.paste("white", (10, 0, 20, 10))  # the middle third
    array = to_array(stored(image), side=5, channels=3)
    assert (array[:, 1:-1] == 255).all()
    assert array.min() > 200  # the border's triangle reaches half a pixel into its neighbours


def test_shrinking_averages_instead_of_picking() -> None:
    checkers = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    array = to_array(checkers, side=8, channels=1)
    np.testing.assert_allclose(array, 127.5, atol=4)


def test_large_jpeg_keeps_its_colours_through_the_draft() -> None:
    image = stored(Image.new("RGB", (640, 480), (200, 100, 50)), "JPEG", quality=95)
    np.testing.assert_allclose(to_array(image, side=16, channels=3)[8, 8], (200, 100, 50), atol=3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_truncated_files_raise_one_of_unreadable(file_format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, file_format)
    with pytest.raises(UNREADABLE):
        to_array(Image.open(io.BytesIO(buffer.getvalue()[:600])), side=8, channels=3)
