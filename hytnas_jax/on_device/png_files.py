"""Where an exported script writes images, and that it writes over nothing it has read."""

import argparse
import io
from pathlib import Path

from PIL import Image

from hytnas_jax.on_device.stop import Stop


def add_draw(parser: argparse.ArgumentParser, what: str) -> None:
    """The arguments `--draw` and `--no-draw`."""
    draw = parser.add_mutually_exclusive_group()
    draw.add_argument(
        "--draw",
        type=Path,
        metavar="FILE.png",
        help=f"the image with {what}; otherwise NAME.found.png in the current folder",
    )
    draw.add_argument("--no-draw", action="store_true", help="write no such file")


def drawing_of(arguments: argparse.Namespace) -> Path | None:
    """The file that the drawing is written to. Raises Stop."""
    if arguments.no_draw:
        return None
    path = arguments.draw or Path(f"{arguments.image.stem}.found.png")
    return checked(path, "--draw", arguments.image)


def checked(path: Path, flag: str, *taken: Path | None) -> Path:
    """A file to write. Raises Stop where it is no PNG file, or one that is `taken`."""
    if path.suffix.lower() != ".png":
        raise Stop(f"{flag} {path}: it takes a file whose name ends with .png")
    for other in taken:
        if other is not None and _is_same(path, other):
            raise Stop(f"{flag} {path} is {other}, which would be lost; name another file")
    return path


def save_png(image: Image.Image, path: Path, flag: str) -> None:
    """Raises Stop."""
    content = io.BytesIO()
    image.save(content, "PNG")
    try:
        path.write_bytes(content.getvalue())
    except OSError as error:
        raise Stop(f"{path} cannot be written ({error.strerror}); {flag} names another place") from error


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there
        return path.absolute() == other.absolute()
