"""Images of every mode come out as the right 8-bit values."""

import io
import os
import struct

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from hytnas_jax.data import decode
from hytnas_jax.data.decode import ORIENTATION, ImageRule


def stored(image: Image.Image, file_format: str = "PNG", **options: object) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return Image.open(buffer)


def to_array(image: Image.Image | np.ndarray, *, side: int, channels: int, fit: str = "crop") -> np.ndarray:
    return decode.to_array(image, ImageRule(side, channels, fit))


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


def test_lab_tiff() -> None:
    image = stored(Image.new("LAB", (4, 4), (136, 208, 195)), "TIFF")  # the red of sRGB
    np.testing.assert_allclose(to_array(image, side=4, channels=3)[1, 2], (255, 0, 0), atol=16)


def test_ycbcr_tiff() -> None:
    image = stored(Image.new("YCbCr", (4, 4), (76, 85, 255)), "TIFF", compression="tiff_lzw")
    np.testing.assert_allclose(to_array(image, side=4, channels=3)[1, 2], (255, 0, 0), atol=2)


@pytest.mark.parametrize("file_format", ["GIF", "TIFF", "PNG", "WEBP"])
def test_of_several_frames_the_first_is_taken(file_format: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    image = stored(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    assert image.n_frames == 2
    np.testing.assert_array_equal(to_array(image, side=4, channels=3)[1, 2], (255, 0, 0))


STORED = np.arange(12, dtype=np.uint8).reshape(3, 4).repeat(8, 0).repeat(8, 1) * 20
SHOWN = {
    1: STORED,
    2: STORED[:, ::-1],
    3: STORED[::-1, ::-1],
    4: STORED[::-1],
    5: STORED.T,
    6: np.rot90(STORED, -1),
    7: STORED[::-1, ::-1].T,
    8: np.rot90(STORED),
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF with libtiff"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_exif_orientation_is_applied(file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file_format, *libtiff = file_format.split(" with ")
    options = {"compression": "tiff_lzw"} if libtiff else {"lossless": True, "quality": 100}
    image = stored(Image.fromarray(STORED), file_format, exif=exif, **options)
    height, width = SHOWN[orientation].shape
    if file_format != "PNG":  # its EXIF lies behind the pixels
        assert decode.shape(image) == (width, height)
    left, top = (width - 24) // 2, (height - 24) // 2
    square = SHOWN[orientation][top : top + 24, left : left + 24]
    np.testing.assert_allclose(to_array(image, side=24, channels=1)[..., 0], square, atol=8)


def exif_block(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Of (tag, type, count, the four bytes of its value), in ascending order of the tags."""
    tags = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + tags + bytes(4)


def odd_blocks() -> dict[str, tuple[bytes, int]]:
    """EXIF blocks, and the orientation that can be read from them."""
    half, six = struct.pack("<f", 0.5), b"\6\0\0\0"
    # Pillow can read a description that is a number, and not write it again.
    odd_tag = exif_block((0x010E, 11, 1, half), (ORIENTATION, 3, 1, six))
    return {
        "another tag is odd": (odd_tag, 6),
        "of another whole type": (exif_block((ORIENTATION, 4, 1, six)), 6),
        "0": (exif_block((ORIENTATION, 3, 1, bytes(4))), 1),
        "9": (exif_block((ORIENTATION, 3, 1, b"\x09\0\0\0")), 1),
        "-1": (exif_block((ORIENTATION, 8, 1, b"\xff\xff\0\0")), 1),
        "none": (exif_block((ORIENTATION, 3, 0, six)), 1),
        "text": (exif_block((ORIENTATION, 2, 2, b"6\0\0\0")), 1),
        "float": (exif_block((ORIENTATION, 11, 1, half)), 1),
        "rational beyond the end": (exif_block((ORIENTATION, 5, 1, b"\xff\xff\0\0")), 1),
        "unknown type": (exif_block((ORIENTATION, 77, 1, six)), 1),
        "cut": (odd_tag[:30], 1),
        "garbage": (b"Exif\0\0garbage", 1),
        "empty": (b"", 1),
    }


@pytest.mark.filterwarnings("ignore")  # Pillow's; those who read images are in `quiet`
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("block", odd_blocks())
def test_metadata_is_not_the_image(file_format: str, block: str) -> None:
    """The orientation is applied where it can be read; whatever else is odd does not matter."""
    exif, orientation = odd_blocks()[block]
    image = stored(Image.fromarray(STORED), file_format, exif=exif, lossless=True, quality=100)
    shown = SHOWN[orientation]
    top, left = ((length - 24) // 2 for length in shown.shape)
    square = shown[top : top + 24, left : left + 24]
    np.testing.assert_allclose(to_array(image, side=24, channels=1)[..., 0], square, atol=8)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_tiff_with_an_orientation_that_is_none(orientation: int) -> None:
    image = stored(Image.fromarray(STORED), "TIFF", tiffinfo={ORIENTATION: orientation})
    np.testing.assert_array_equal(to_array(image, side=24, channels=1)[..., 0], STORED[:, 4:28])


def test_broken_profiles_and_xmp_change_nothing() -> None:
    image = stored(
        Image.fromarray(STORED), "JPEG", quality=100, icc_profile=b"no profile", xmp=b"<tiff:Orientation=\xff"
    )
    np.testing.assert_allclose(to_array(image, side=24, channels=1)[..., 0], STORED[:, 4:28], atol=8)


def test_a_tiff_with_a_broken_exif_directory_is_read() -> None:
    tags = ImageFileDirectory_v2()
    tags[ORIENTATION] = 6
    tags[0x8769] = 10**6  # where the EXIF directory would lie: behind the file's end
    image = stored(Image.fromarray(STORED), "TIFF", tiffinfo=tags)
    np.testing.assert_array_equal(to_array(image, side=24, channels=1)[..., 0], SHOWN[6][4:28])
    wide = stored(Image.fromarray(STORED.astype(np.uint16) * 257), "TIFF", tiffinfo=tags)
    np.testing.assert_array_equal(decode.wide_values(wide), SHOWN[6].astype(int) * 257)


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


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_a_square_image_is_the_same_however_it_is_fitted(fit: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(to_array(noise, side=32, channels=3, fit=fit), noise)
    small = np.asarray(Image.fromarray(noise).resize((12, 12), Image.Resampling.BILINEAR, reducing_gap=2.0))
    np.testing.assert_array_equal(to_array(noise, side=12, channels=3, fit=fit), small)


def test_fits_of_a_portrait() -> None:
    image = np.full((16, 8), 100, np.uint8)
    image[:4] = 200  # its head
    stretched = to_array(image, side=8, channels=1, fit="stretch")[..., 0]
    assert (stretched[0] == 200).all()
    assert (stretched[3:] == 100).all()
    padded = to_array(image, side=8, channels=1, fit="pad")[..., 0]
    np.testing.assert_array_equal(padded[5], [0, 0, 100, 100, 100, 100, 0, 0])
    assert (padded[0, 2:6] == 200).all()
    assert (to_array(image, side=8, channels=1) == 100).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_extreme_shapes(size: tuple[int, int], fit: str) -> None:
    array = to_array(stored(Image.new("L", size, 200)), side=6, channels=3, fit=fit)
    assert array.shape == (6, 6, 3)
    assert array.max() == 200


def test_two_that_are_quiet_at_a_time_leave_errors_to_be_seen(capfd: pytest.CaptureFixture[str]) -> None:
    """The first one in is the first one out, as it may be of two threads."""
    first, second = decode.quiet(), decode.quiet()
    for enter in (first.__enter__, second.__enter__):
        enter()
        os.write(2, b"hidden")
    first.__exit__(None, None, None)
    os.write(2, b"hidden too")
    second.__exit__(None, None, None)
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
