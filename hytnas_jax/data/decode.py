"""One picture of any size and mode to a square uint8 array."""

import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

# What Pillow, and the readers of record files, raise for a file that is not the picture it claims to be.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def to_array(image: Image.Image, *, side: int, channels: int) -> np.ndarray:
    """Decode into uint8 [side, side, channels], channels 1 (grey) or 3 (RGB).

    The EXIF orientation is applied, 16-bit and float pixels are scaled to 8 bits, transparent pixels
    are laid on white. The shorter side is resized to `side` (bilinear over the source pixels' area,
    so antialiased) and the middle of the longer one is kept.

    Raises one of UNREADABLE for a corrupt picture.
    """
    image.draft(None, (2 * side, 2 * side))  # lets the JPEG decoder skip detail far below a pixel
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if channels == 1 else "RGB")
    width, height = image.size
    shorter = min(width, height)
    left, top = (width - shorter) // 2, (height - shorter) // 2
    square = image.resize(
        (side, side),
        Image.Resampling.BILINEAR,
        box=(left, top, left + shorter, top + shorter),
        reducing_gap=2.0,
    )
    return np.asarray(square, np.uint8).reshape(side, side, channels)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits (modes I and I;16, 0..65535) or float (0..1 or 0..255) as mode L."""
    values = np.asarray(image).astype(np.float64)
    if image.mode != "F":
        values /= 257  # 65535 / 255
    elif values.max() <= 1:
        values *= 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
