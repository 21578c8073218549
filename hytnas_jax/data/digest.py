"""What each image of a split is, as one number, and whether a split is still what was noted of it.

Digests are of the decoded pixels, which are what networks are trained on: a file saved anew with the same
pixels, compressed otherwise or with other metadata, is the same image.
"""

import base64
import dataclasses
import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_CHUNK = 512


@dataclasses.dataclass(frozen=True, eq=False)
class Content:
    """What a split holds, row by row: digests uint64 [N] of the pixels, labels int32 [N]."""

    digests: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def is_same(self, other: "Content") -> bool:
        """The same images in the same order, with the same labels."""
        return np.array_equal(self.digests, other.digests) and np.array_equal(self.labels, other.labels)

    def to_json(self) -> dict[str, str]:
        """Both as text (base64 of little-endian bytes): one line each, however many images."""
        return {
            "digests": base64.b64encode(self.digests.astype("<u8").tobytes()).decode(),
            "labels": base64.b64encode(self.labels.astype("<i4").tobytes()).decode(),
        }

    @staticmethod
    def from_json(values: Mapping[str, str]) -> "Content":
        """What `to_json` has written."""
        digests, labels = (base64.b64decode(values[key]) for key in ("digests", "labels"))
        return Content(np.frombuffer(digests, "<u8"), np.frombuffer(labels, "<i4"))


def digest_images(images: np.ndarray, *, mirrored: bool = False) -> np.ndarray:
    """uint64 [N], equal where the images of images uint8 [N, S, S, C] are, to the last pixel.

    With `mirrored`, of the images turned left to right.

    BLAKE2b of the pixels. Of a million different images, two have the same number with a probability of
    3e-8.
    """

    def digest_chunk(start: int) -> bytes:
        chunk = np.ascontiguousarray(images[start : start + _CHUNK])
        if mirrored:
            chunk = np.take(chunk, np.arange(chunk.shape[2])[::-1], axis=2)  # half the time of [:, :, ::-1]
        return b"".join(hashlib.blake2b(image, digest_size=8).digest() for image in chunk)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing is done outside the interpreter lock
        parts = list(pool.map(digest_chunk, range(0, len(images), _CHUNK)))
    return np.frombuffer(b"".join(parts), "<u8")
