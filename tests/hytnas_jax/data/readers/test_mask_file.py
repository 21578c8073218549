"""Kinds of mask files: palettes, alpha channels, and greys of few bits."""

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data.readers.class_table import ClassTable, read_table
from hytnas_jax.data.readers.mask_file import by_colour, by_value, read_stored

Refusal = Callable[[Callable[[], Any]], str]
COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
CLASSES = np.array([[0, 1, 2], [0, 0, 0]])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.png"


@pytest.fixture
def table(tmp_path: Path) -> ClassTable:
    (tmp_path / "classes.csv").write_text("background,0,0,0\nroad,255,0,0\ntree,0,255,0\n")
    return read_table(tmp_path / "classes.csv")


def with_palette(values: Any, palette: Sequence[Any]) -> Image.Image:
    image = Image.fromarray(np.array(values, np.uint8))
    image.putpalette(np.array(palette, np.uint8).tobytes())
    return image


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(COLOURS[CLASSES]),
        Image.fromarray(COLOURS[CLASSES]).convert("RGBA"),
        Image.fromarray(COLOURS[CLASSES]).quantize(),
        Image.fromarray(COLOURS[CLASSES]).convert("P", palette=Image.Palette.ADAPTIVE, colors=3),
        with_palette(2 - CLASSES, COLOURS[::-1]),
        with_palette(CLASSES, COLOURS),
    ],
)
def test_colours_mean_the_same_in_each_kind(path: Path, table: ClassTable, image: Image.Image) -> None:
    image.save(path)
    stored = read_stored(path, "a.png")
    assert stored.kind == ("palette" if image.mode == "P" else "colours")
    np.testing.assert_array_equal(by_colour(stored, "a.png", table), CLASSES)


def test_255_of_a_palette_is_ignored_unless_its_colour_is_in_the_table(path: Path, table: ClassTable) -> None:
    palette = [*COLOURS, *[[9, 9, 9]] * 252, [224, 224, 192]]
    with_palette([[0, 2, 255]], palette).save(path)
    assert by_colour(read_stored(path, "a.png"), "a.png", table).tolist() == [[0, 2, 255]]
    with_palette([[0, 2, 255]], [*palette[:255], [255, 0, 0]]).save(path)
    assert by_colour(read_stored(path, "a.png"), "a.png", table).tolist() == [[0, 2, 1]]


def test_a_palette_of_greys_in_order_is_a_grey_image(path: Path) -> None:
    with_palette(CLASSES, [[grey] * 3 for grey in range(256)]).save(path)
    stored = read_stored(path, "a.png")
    assert stored.kind == "grey"
    np.testing.assert_array_equal(stored.values, CLASSES)


def test_colours_of_a_palette_that_the_table_lacks(path: Path, table: ClassTable, refusal: Refusal) -> None:
    with_palette([[0, 1, 2]], [[0, 0, 0], [1, 2, 3], [4, 5, 6]]).save(path)
    assert refusal(lambda: by_colour(read_stored(path, "a.png"), "a.png", table)) == (
        "a.png: the pixel in row 0, column 1 has the colour 1,2,3, which is not in classes.csv (1 other "
        "neither); add the colour there, or correct the mask, or, if not the colours but the values of "
        "palette masks are meant, name the classes in classes.txt instead of classes.csv"
    )


def test_transparent_pixels(path: Path, refusal: Refusal) -> None:
    image = Image.fromarray(COLOURS[CLASSES]).convert("RGBA")
    image.putpixel((0, 1), (0, 0, 0, 254))
    image.save(path)
    assert refusal(lambda: read_stored(path, "a.png")) == (
        "a.png: has an alpha channel (RGBA) below 255 (opaque) in 1 pixel, and no table says which class "
        "that means; save masks without alpha, pixels of no class with the value 255 or in the colour of a "
        "class called void"
    )
    Image.fromarray(CLASSES.astype(np.uint8)).convert("LA").save(path)
    np.testing.assert_array_equal(read_stored(path, "a.png").values, CLASSES)


@pytest.mark.parametrize(
    ("bits", "shown"), [(1, [0, 255]), (2, [0, 85, 170, 255]), (4, [17 * n for n in range(16)])]
)
def test_greys_of_few_bits(path: Path, bits: int, shown: list[int]) -> None:
    """Pillow makes 0 to 3 of two bits 0, 85, 170, 255: so they are shown, but the values are 0 to 3."""
    path.write_bytes(grey_png(list(range(2**bits)) * 8, bits))
    stored = read_stored(path, "a.png")
    assert stored.values[0].tolist() == list(range(2**bits)) * 8
    assert (stored.shown[: 2**bits] & 255).tolist() == shown


def test_a_palette_of_few_bits(path: Path) -> None:
    with_palette([[0, 1, 2, 3]], [[9, 8, 7], *COLOURS]).save(path, bits=2)
    assert path.read_bytes()[24] == 2
    assert read_stored(path, "a.png").values.tolist() == [[0, 1, 2, 3]]


def test_allowed_values(path: Path, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "classes.csv").write_text("0,wall\n255,door\n")
    Image.fromarray(np.array([[0, 7, 255]], np.uint8)).save(path)
    table = read_table(tmp_path / "classes.csv")
    said = refusal(lambda: by_value(read_stored(path, "a.png"), "a.png", table))
    assert "has the value 7 (1 pixel); by classes.csv 0, 255 are allowed; correct" in said


def grey_png(values: list[int], bits: int) -> bytes:
    """One row of values of 1, 2 or 4 bits, as Pillow does not write them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = int("".join(f"{value:0{bits}b}" for value in values), 2).to_bytes(len(values) * bits // 8, "big")
    head = struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b"")]
    )
