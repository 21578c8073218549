"""What each image of a split is, as one number, and whether a split is still what was noted of it.

Digests are of the decoded pixels, which are what networks are trained on: a file saved anew with the same
pixels, compressed otherwise or with other metadata, is the same image.
"""

import base64
import dataclasses
import functools
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
        pairs = zip(self.columns().values(), other.columns().values(), strict=True)
        return self.columns().keys() == other.columns().keys() and all(np.array_equal(*p) for p in pairs)

    def columns(self) -> dict[str, np.ndarray]:
        """Its arrays by name; `Content(**columns)` is the same again."""
        columns = {"digests": self.digests, "labels": self.labels}
        return columns if self.annotations is None else {**columns, "annotations": self.annotations}

    def to_json(self) -> dict[str, str]:
        """All as text (base64 of little-endian bytes): one line each, however many images."""
        kinds = {name: _KINDS[name] for name in self.columns()}
        return {
            name: base64.b64encode(self.columns()[name].astype(kind).tobytes()).decode()
            for name, kind in kinds.items()
        }

    @staticmethod
    def from_json(values: "Mapping[str, str] | Content") -> "Content":
        """What `to_json` has written; or itself."""
        if isinstance(values, Content):
            return values
        columns = {name: np.frombuffer(base64.b64decode(text), _KINDS[name]) for name, text in values.items()}
        return Content(**columns)


def digest_of(image: np.ndarray) -> np.uint64:
    """Of one image, uint8 and contiguous: BLAKE2b of its pixels."""
    return np.frombuffer(_digest(image), "<u8")[0]


def digest_images(images: np.ndarray, *, mirrored: bool = False) -> np.ndarray:
    """uint64 [N], equal where the images of images uint8 [N, S, S, C] are, to the last pixel.

    With `mirrored`, of the images turned left to right.

    BLAKE2b of the pixels. Of a million different images, two have the same number with a probability of
    3e-8.
    """

    chunks = (images[start : start + _CHUNK] for start in range(0, max(1, len(images)), _CHUNK))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing is done outside the interpreter lock
        return np.concatenate(list(pool.map(functools.partial(digest_few, mirrored=mirrored), chunks)))


def digest_few(images: np.ndarray, *, mirrored: bool = False) -> np.ndarray:
    """`digest_images`, by this thread alone."""
    images = np.ascontiguousarray(images)
    if mirrored:
        images = np.take(images, np.arange(images.shape[2])[::-1], axis=2)  # half the time of [:, :, ::-1]
    return np.frombuffer(b"".join(map(_digest, images)), "<u8")


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(image.data, digest_size=8).digest()
