"""Whether the images of a data set are held in memory, or each step of a training decodes its own."""

from hytnas_jax.data.loading import available_memory, check_memory
from hytnas_jax.data.readers.npz import NpzSource
from hytnas_jax.data.readers.source import Source
from hytnas_jax.shared_flags.data import Stream
from supernet.errors import UserError

STREAMS = ("auto", "always", "never")
MAY_TAKE = 0.5  # of the memory that is available, with "auto"
MOST_VALIDATION = 10_000  # images held of streamed ones, unless the user says otherwise


def why_streamed(choice: Stream, source: Source, count: int, *, side: int) -> str | None:
    """Why `count` images are streamed, in words for the user; None where they are held.

    Raises UserError where they are to be held, and memory is too small for that, and for a choice that there
    is not.
    """
    if choice not in STREAMS:
        raise UserError(f"stream={choice!r} (--stream): wanted one of {', '.join(STREAMS)}")
    channels = source.channels + (source.task == "segmentation")  # a mask is one more
    needed, available = count * side * side * channels, available_memory()
    images = f"{count:,} {'images' if channels == source.channels else 'images with masks'} "
    images += f"of {side}x{side}x{source.channels}"
    if choice == "always":
        return f"each step decodes its own images (--stream always); held, {images} would be {size(needed)}"
    is_large = available is not None and needed > MAY_TAKE * available
    if choice == "auto" and is_large and not isinstance(source, NpzSource):  # which is read as a whole
        assert available is not None
        return (
            f"{images} are {size(needed)}, of {size(available)} that are free {size(MAY_TAKE * available)} "
            "may be used: each step decodes its own images"
        )
    check_memory(count, side=side, channels=channels)
    return None


def size(count: float) -> str:
    """Bytes as people read them, "63.0 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
