"""What a decoder makes of damaged files: an array, or one named refusal; nothing else, and no noise."""

import contextlib
import functools
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data.decode import ImageRule, Unreadable, open_image, quiet, read_image, refusing, shape

RULE = ImageRule(8, 3)
MUTANTS = 150


def smooth() -> Image.Image:
    rows, columns = np.mgrid[:24, :20]
    return Image.fromarray(np.stack([rows * 8, columns * 10, rows + columns], -1).astype(np.uint8))


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112], tags[0x010E] = 6, "a phone"
    tags.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    return tags


FORMATS = {
    "jpeg": ("JPEG", {"exif": exif()}),
    "progressive": ("JPEG", {"progressive": True, "exif": exif()}),
    "png": ("PNG", {"exif": exif()}),
    "webp": ("WEBP", {"exif": exif()}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {"exif": exif()}),
    "lzw": ("TIFF", {"compression": "tiff_lzw", "exif": exif()}),
    "deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
}


def saved(kind: str) -> bytes:
    file_format, options = FORMATS[kind]
    buffer = io.BytesIO()
    smooth().save(buffer, file_format, **options)
    return buffer.getvalue()


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut, or with a few other bytes, every second of them near the head."""
    if rng.random() < 0.2:
        return data[: rng.integers(len(data))]
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        reach = len(data) if rng.random() < 0.5 else min(len(data), 200)
        changed[rng.integers(reach)] = rng.choice([0, 1, 255, rng.integers(256)])
    return bytes(changed)


@pytest.mark.parametrize("kind", FORMATS)
def test_mutants_are_read_or_refused(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    rng, data = np.random.default_rng(17), saved(kind)
    refusals = []
    with quiet():
        for _ in range(MUTANTS):
            opener = functools.partial(Image.open, io.BytesIO(mutant(data, rng)))
            try:
                assert read_image(opener, RULE).shape == (8, 8, 3)
            except Unreadable as error:
                refusals.append(str(error))
            with contextlib.suppress(Unreadable), refusing(), opener() as image:
                assert min(shape(image)) > 0
    assert 10 < len(refusals) < MUTANTS
    assert all(re.fullmatch(r"\S.*", line) for line in refusals)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cut_file_is_refused_and_not_half_grey(kind: str) -> None:
    data = saved(kind)
    whole = read_image(lambda: Image.open(io.BytesIO(data)), RULE)
    refused = 0
    with quiet():
        for length in range(0, len(data), 1 + len(data) // 100):
            try:
                part = read_image(lambda length=length: Image.open(io.BytesIO(data[:length])), RULE)
            except Unreadable:
                refused += 1
            else:
                np.testing.assert_array_equal(part, whole)  # what is missing held no pixels
    assert refused > 20


def refusal(path: Path) -> str:
    with quiet(), pytest.raises(Unreadable) as caught:
        read_image(functools.partial(open_image, path), RULE)
    return str(caught.value)


def test_files_that_are_no_images(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert "No such file" in refusal(path)
    path.write_bytes(b"")
    assert refusal(path) == "the file is empty"
    path.write_text("a text")
    assert refusal(path) == "it is in no format that Pillow knows"
    (tmp_path / "folder.png").mkdir()
    assert refusal(tmp_path / "folder.png") == "it is a folder"
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert "symbolic links" in refusal(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path / "pipe.png") == "it is no regular file"


def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    smooth().save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "Permission denied" in refusal(path)


def test_images_that_are_too_large(tmp_path: Path) -> None:
    Image.new("1", (20000, 10000)).save(tmp_path / "big.png")
    assert "exceeds limit" in refusal(tmp_path / "big.png")


def test_a_warning_of_pillow_that_is_made_an_error_refuses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # it warns from there, and refuses from twice that
    smooth().save(tmp_path / "a.png")
    with quiet():
        read_image(functools.partial(open_image, tmp_path / "a.png"), RULE)


def test_standard_error_may_be_closed() -> None:
    stderr = os.dup(2)
    os.close(2)
    try:
        with quiet():
            assert read_image(smooth, RULE).shape == (8, 8, 3)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@pytest.mark.parametrize(
    "error", [AttributeError("x"), KeyError(3), OverflowError(), MemoryError(), AssertionError("two\nlines")]
)
def test_every_kind_of_exception_is_a_refusal(error: Exception) -> None:
    def opener() -> Image.Image:
        raise error

    with pytest.raises(Unreadable, match=f"^{type(error).__name__}") as caught:
        read_image(opener, RULE)
    assert len(str(caught.value).splitlines()) == 1
