"""The script beside an exported model reads pictures exactly as training did."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data import prepare
from hytnas_jax.data.decode import to_array
from hytnas_jax.device.infer import normalise, read_pixels

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (37, 53, 4), np.uint8)
PICTURES = {
    "rgb": Image.fromarray(COLOUR[..., :3]),
    "transparent": Image.fromarray(COLOUR, "RGBA"),
    "grey": Image.fromarray(COLOUR[..., 0]),
    "16 bits": Image.fromarray(RNG.integers(0, 65536, (40, 31), np.uint16)),
    "float": Image.fromarray(RNG.random((33, 33), np.float32)),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize(("stored_side", "resolution"), [(24, 24), (24, 16), (24, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_as_in_training(kind: str, stored_side: int, resolution: int, channels: int) -> None:
    mean, std = [0.4] * channels, [0.2] * channels
    card = {
        "stored_side": stored_side,
        "resolution": resolution,
        "channels": channels,
        "mean": mean,
        "std": std,
    }
    found = normalise(read_pixels(PICTURES[kind].copy(), card), card)
    stored = to_array(PICTURES[kind].copy(), side=stored_side, channels=channels)
    expected = prepare(stored[None], resolution=resolution, mean=mean, std=std)[0]
    assert found.shape == (resolution, resolution, channels)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_jpeg_with_orientation(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture = PICTURES["rgb"].resize((400, 300))
    picture.save(tmp_path / "turned.jpg", exif=exif)
    card = {"stored_side": 16, "resolution": 16, "channels": 3}
    with Image.open(tmp_path / "turned.jpg") as image:
        found = read_pixels(image, card)
    with Image.open(tmp_path / "turned.jpg") as image:
        expected = to_array(image, side=16, channels=3)
    np.testing.assert_array_equal(found, expected)
