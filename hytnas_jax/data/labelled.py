"""Images of one split, held or streamed, with what is said of them.

N images, S their side, C channels.
"""

import dataclasses

import numpy as np

from hytnas_jax.data.annotations import Annotations
from hytnas_jax.data.streamed import Pixels, Streamed

_HISTOGRAM_CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledImages:
    """images uint8 [N, S, S, C], S the side at which they were loaded; labels int32 [N].

    annotations: boxes or masks; None for classification. With them, the label is the rarest class on an
    image, and the number of classes where there is none.
    """

    images: Pixels
    labels: np.ndarray
    annotations: Annotations | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def are_streamed(self) -> bool:
        """Whether each use decodes them; `take` gives held ones."""
        return isinstance(self.images, Streamed)

    @property
    def targets(self) -> Annotations:
        """What a network is to say of the images, for the task's lesson: arrays [N, ...] by name."""
        return {"label": self.labels} if self.annotations is None else self.annotations

    def held(self) -> "LabelledImages":
        """All of them in memory."""
        return self.take(np.arange(len(self))) if self.are_streamed else self

    def take(self, rows: np.ndarray) -> "LabelledImages":
        """These rows alone."""
        annotations = self.annotations
        if annotations is not None:
            annotations = {name: array[rows] for name, array in annotations.items()}
        return LabelledImages(self.images[rows], self.labels[rows], annotations)


def channel_statistics(images: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """`statistics_of` images uint8 [N, S, S, C]."""
    return statistics_of(value_counts(images))


def value_counts(images: Pixels) -> np.ndarray:
    """How often each of the 256 values occurs in each channel of uint8 [N, S, S, C]: int64 [C, 256]."""
    channels = images.shape[-1]
    counts = np.zeros((channels, 256), np.int64)
    for start in range(0, len(images), _HISTOGRAM_CHUNK):
        pixels = images[start : start + _HISTOGRAM_CHUNK].reshape(-1, channels)
        counts += [np.bincount(pixels[:, channel], minlength=256) for channel in range(channels)]
    return counts


def statistics_of(counts: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation a channel on the scale 0..1, by the `value_counts` [C, 256].

    The deviation is at least one grey level, so that dividing by it is safe for a channel without contrast.
    """
    values = np.arange(256) / 255
    weights = counts / counts.sum(axis=1, keepdims=True)
    mean = weights @ values
    variance = (weights * (values - mean[:, None]) ** 2).sum(axis=1)
    std = np.maximum(np.sqrt(variance), 1 / 255)
    return tuple(mean.tolist()), tuple(std.tolist())
