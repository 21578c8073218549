"""Decoding many images at once into one array, and what to do about the corrupt ones."""

import dataclasses
import os
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from hytnas_jax.data.decode import ImageRule, OutOfRange, Unreadable, quiet, read_image
from hytnas_jax.data.readers.source import Source
from hytnas_jax.data.splits import Selection
from hytnas_jax.numbers import counted
from supernet.errors import UserError

_CHUNK = 64
_NAMED_IN_WARNING = 10

Used = TypeVar("Used")


def check_memory(num_images: int, *, side: int, channels: int) -> None:
    """Raises UserError where uint8 [num_images, side, side, channels] exceeds the available memory."""
    needed = num_images * side * side * channels
    available = available_memory()
    if available is not None and needed > available:
        raise UserError(
            f"{num_images} images of {side}x{side}x{channels} need {needed / 1e9:.1f} GB, "
            f"{available / 1e9:.1f} GB of memory are available; choose a smaller resolution, fewer "
            "images with max_images (--max-images), or let each step decode its own (--stream always)"
        )


def available_memory() -> int | None:
    """Bytes that can still be had, on Linux (a container's limit counts); None elsewhere."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        available = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no container, or "max": no limit
        return available
    return min(available, limit)


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How images of a source are decoded. `on_decoded` gets the number of images newly dealt with."""

    source: Source
    rule: ImageRule
    skip_corrupt: bool
    on_decoded: Callable[[int], None] = lambda count: None


def load_images(selection: Selection, how: Decoding) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Decode the selected images, as `decode_all` does, into one array.

    Returns images uint8 [N, side, side, C], which rows of the selection they are int64 [N], and for each
    one skipped, by name, what is wrong with it.
    """
    images = np.empty((len(selection), how.rule.side, how.rule.side, how.rule.channels), np.uint8)
    _, rows, skipped = decode_all(selection, how, lambda chunk: images[chunk], lambda chunk: None)
    return (images[rows] if skipped else images), rows, skipped


def decode_all(
    selection: Selection,
    how: Decoding,
    place: Callable[[slice], np.ndarray],
    use: Callable[[np.ndarray], Used],
) -> tuple[list[Used], np.ndarray, dict[str, str]]:
    """Decode the selected images by a pool of threads (Pillow decodes outside the interpreter lock).

    A thread decodes a chunk of the rows into `place(rows)`, uint8 [n, side, side, C], and gives those that
    can be read to `use`.

    Returns what `use` has given, in order, which rows of the selection could be read int64 [N], and for each
    one skipped, by name, what is wrong with it.

    Raises UserError naming the first corrupt image, unless corrupt ones are skipped.
    """
    source, total = how.source, len(selection)

    def name(row: int) -> str:
        return source.image_name(selection.stored, int(selection.positions[row]))

    def decode_chunk(start: int) -> tuple[Used, dict[int, str]]:
        corrupt = {}
        rows = slice(start, min(start + _CHUNK, total))
        images = place(rows)
        for number, opener in enumerate(source.openers(selection.stored, selection.positions[rows])):
            try:
                images[number] = read_image(opener, how.rule)
            except Unreadable as error:
                if not how.skip_corrupt:
                    image = f"{source.name}: the image {name(start + number)}"
                    raise UserError(_refusal(image, error)) from error
                corrupt[number] = str(error)
        if corrupt:
            images = np.delete(images, list(corrupt), axis=0)
        return use(images), {start + number: reason for number, reason in corrupt.items()}

    starts = range(0, total, _CHUNK)
    corrupt: dict[int, str] = {}
    used = []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        with quiet():  # what is wrong with an image is told once, by name
            for start, (given, failed) in zip(starts, pool.map(decode_chunk, starts), strict=True):
                used.append(given)
                corrupt |= failed
                how.on_decoded(min(_CHUNK, total - start))
    finally:
        pool.shutdown(cancel_futures=True)
    rows = np.setdiff1d(np.arange(total), list(corrupt))
    return used, rows, {name(row): reason for row, reason in corrupt.items()}


def _refusal(image: str, error: Unreadable) -> str:
    scale = (
        "; where they are 0 to 2^N-1 throughout, give bit_depth=N (--bit-depth N)"
        if isinstance(error, OutOfRange)
        else ""
    )
    return (
        f"{image} cannot be read ({error}){scale}; repair or delete it, or leave such images out with "
        "skip_corrupt=True (--skip-corrupt)"
    )


def warn_of_skipped(skipped: Mapping[str, str]) -> None:
    """One warning that counts the skipped images, and says of the first ten what is wrong with them."""
    if skipped:
        more = ", ..." if len(skipped) > _NAMED_IN_WARNING else ""
        first = list(skipped.items())[:_NAMED_IN_WARNING]
        listed = ", ".join(f"{name} ({reason})" for name, reason in first)
        warnings.warn(
            f"skipped {counted(len(skipped), 'image')} that cannot be read: {listed}{more}", stacklevel=3
        )
