"""Decoding many images at once into one array, and what to do about the corrupt ones."""

import os
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from hytnas_jax.data.decode import ImageRule, OutOfRange, Unreadable, quiet, read_image
from hytnas_jax.data.readers.source import Source
from hytnas_jax.data.splits import Selection
from hytnas_jax.numbers import counted
from supernet.errors import UserError

_CHUNK = 64
_NAMED_IN_WARNING = 10


def check_memory(num_images: int, *, side: int, channels: int) -> None:
    """Raises UserError where uint8 [num_images, side, side, channels] exceeds the available memory."""
    needed = num_images * side * side * channels
    available = available_memory()
    if available is not None and needed > available:
        raise UserError(
            f"{num_images} images of {side}x{side}x{channels} need {needed / 1e9:.1f} GB, "
            f"{available / 1e9:.1f} GB of memory are available; choose a smaller resolution, or fewer "
            "images with max_images (--max-images)"
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


def load_images(
    source: Source,
    selection: Selection,
    *,
    rule: ImageRule,
    skip_corrupt: bool,
    on_decoded: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Decode the selected images by a pool of threads (Pillow decodes outside the interpreter lock).

    Returns images uint8 [N, side, side, C], which rows of the selection they are int64 [N], and for each
    one skipped, by name, what is wrong with it. `on_decoded` gets the number of images newly dealt with.

    Raises UserError naming the first corrupt image, unless `skip_corrupt`.
    """
    images = np.empty((len(selection), rule.side, rule.side, rule.channels), np.uint8)

    def name(row: int) -> str:
        return source.image_name(selection.stored, int(selection.positions[row]))

    def decode_chunk(start: int) -> dict[int, str]:
        corrupt = {}
        positions = selection.positions[start : start + _CHUNK]
        for row, opener in enumerate(source.openers(selection.stored, positions), start):
            try:
                images[row] = read_image(opener, rule)
            except Unreadable as error:
                if not skip_corrupt:
                    raise UserError(_refusal(f"{source.name}: the image {name(row)}", error)) from error
                corrupt[row] = str(error)
        return corrupt

    starts = range(0, len(selection), _CHUNK)
    corrupt: dict[int, str] = {}
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        with quiet():  # what is wrong with an image is told once, by name
            for start, failed in zip(starts, pool.map(decode_chunk, starts), strict=True):
                corrupt |= failed
                on_decoded(min(_CHUNK, len(selection) - start))
    finally:
        pool.shutdown(cancel_futures=True)
    rows = np.setdiff1d(np.arange(len(selection)), list(corrupt))
    skipped = {name(row): reason for row, reason in corrupt.items()}
    return (images[rows] if corrupt else images), rows, skipped


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
