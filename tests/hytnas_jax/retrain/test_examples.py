"""Which images are shown, and that they are read back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.retrain.examples import _png, example_rows, read_examples, side_by_side
from supernet.errors import UserError

ENTRY = {"file": "examples/1.png", "quarter": 2, "quality": 0.5, "image": "a.png"}


def test_the_middle_of_each_quarter() -> None:
    """Eight images of qualities 0 to 0.7, shuffled, and two with nothing to find."""
    quality = np.array([np.nan, 0.4, 0.1, 0.7, 0.0, np.nan, 0.3, 0.6, 0.2, 0.5])
    rows = example_rows(quality)
    assert [quarter for quarter, _ in rows] == [1, 2, 3, 4]
    assert quality[[row for _, row in rows]].tolist() == [0.1, 0.3, 0.5, 0.7]


def test_equal_images_stay_in_their_order() -> None:
    assert example_rows(np.zeros(8)) == [(1, 1), (2, 3), (3, 5), (4, 7)]


@pytest.mark.parametrize(
    ("quality", "rows"),
    [
        ([], []),
        ([np.nan], []),
        ([0.3], [(1, 0)]),
        ([0.3, 0.1], [(1, 1), (3, 0)]),
        ([0.3, 0.1, 0.2], [(1, 1), (2, 2), (4, 0)]),
    ],
)
def test_few_images_are_shown_once(quality: list[float], rows: list[tuple[int, int]]) -> None:
    assert example_rows(np.array(quality)) == rows


def test_side_by_side() -> None:
    left, right = Image.new("RGB", (10, 4), "red"), Image.new("RGB", (6, 9), "blue")
    both = np.asarray(side_by_side([left, right]))
    assert both.shape == (9, 24, 3)
    assert (both[:4, :10] == [255, 0, 0]).all()
    assert (both[:, 18:] == [0, 0, 255]).all()
    assert (both[4:, :18] == 255).all()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    png = _png(Image.new("RGB", (4, 4), "red"))
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "1.png").write_bytes(png)
    assert read_examples(tmp_path, [ENTRY]) == ((png, 2, 0.5, "a.png"),)


@pytest.mark.parametrize("content", [None, b"", b"no image", "cut"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "retrain" / "n" / "examples" / "1.png"
    path.parent.mkdir(parents=True)
    if content is not None:
        whole = _png(Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)))
        path.write_bytes(whole[:-60] if isinstance(content, str) else content)
    with pytest.raises(UserError, match=r"1\.png: this is no whole PNG file .*run retrain again"):
        read_examples(path.parents[1], [ENTRY])
