"""Images made on the spot, and real ones where they are at hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"

SaveImages = Callable[..., Path]


@pytest.fixture
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return REAL_DATA


@pytest.fixture
def save_images(tmp_path: Path) -> SaveImages:
    """save_images("train/cat", 5): five 10x8 PNGs of one colour each in tmp_path/train/cat."""

    def save(folder: str, count: int, *, size: tuple[int, int] = (10, 8)) -> Path:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            colour = (10 * index, 20, 200)
            Image.new("RGB", size, colour).save(tmp_path / folder / f"{index:03}.png")
        return tmp_path

    return save


@pytest.fixture
def save_npz(tmp_path: Path) -> Callable[..., str]:
    def save(**arrays: np.ndarray) -> str:
        np.savez(tmp_path / "data.npz", **arrays)
        return str(tmp_path / "data.npz")

    return save
