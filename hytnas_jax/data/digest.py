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
_KINDS = {"digests": "<u8", "labels": "<i4", "annotations": "<u8"}


@dataclasses.dataclass(frozen=True, eq=False)
class Content:
    """What a split holds, row by row: digests uint64 [N] of the pixels, labels int32 [N].

    annotations: digests uint64 [N] of boxes or masks; None for classification.
    """

    digests: np.ndarray
    labels: np.ndarray
    annotations: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def is_same(self, other: "Content") -> bool:
        """The same images in the same order, with the same labels and annotations."""
        pairs = zip(self._columns().values(), other._columns().values(), strict=True)
        return self._columns().keys() == other._columns().keys() and all(np.array_equal(*p) for p in pairs)

    def to_json(self) -> dict[str, str]:
        """All as text (base64 of little-endian bytes): one line each, however many images."""
        kinds = {name: _KINDS[name] for name in self._columns()}
        return {
            name: base64.b64encode(self._columns()[name].astype(kind).tobytes()).decode()
            for name, kind in kinds.items()
        }

    @staticmethod
    def from_json(values: Mapping[str, str]) -> "Content":
        """What `to_json` has written."""
        columns = {name: np.frombuffer(base64.b64decode(text), _KINDS[name]) for name, text in values.items()}
        return Content(**columns)

    def _columns(self) -> dict[str, np.ndarray]:
        columns = {"digests": self.digests, "labels": self.labels}
        return columns if self.annotations is None else {**columns, "annotations": self.annotations}


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
