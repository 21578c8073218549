"""Batches of streamed images, decoded ahead while the device trains."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from hytnas_jax.data import LabelledImages
from hytnas_jax.runtime import mesh
from hytnas_jax.training.order import Order

BATCHES_AT_ONCE = 2  # that are decoded, each by all cores: one's slowest image does not hold the other up
BATCHES_AHEAD = 4  # that are in memory, decoded or being so


class PrefetchedBatches:
    """`batches(number, attempt) -> images, targets` of a step, from a stream of the steps that follow.

    Steps are asked for in their order. Where one is not the next, as after a roll-back or at the beginning of
    a run that was cut, the stream begins anew there: a batch depends on nothing but its step and attempt.
    Each host decodes the rows of its own devices.
    """

    def __init__(self, images: LabelledImages, order: Order) -> None:
        self._images, self._order = images, order
        self._stream: Iterator[Any] | None = None
        self._next = (-1, -1)

    def __call__(self, number: int, attempt: int) -> tuple[Any, Any]:
        if self._stream is None or self._next != (number, attempt):
            self.close()
            self._stream = self._open(number, attempt)
        rows = next(self._stream)
        self._next = (number + 1, attempt)
        if self._next[0] == self._order.num_steps:
            self.close()
        return mesh.joined(rows) if mesh.is_split() else rows

    def close(self) -> None:
        """Give up what is decoded ahead."""
        if self._stream is not None:
            self._stream.close()  # type: ignore[attr-defined]
        self._stream = None

    def _open(self, first: int, attempt: int) -> Iterator[Any]:
        import grain  # a second, and only where images are streamed

        def load(number: int) -> tuple[np.ndarray, Any]:
            chosen = self._order.at(int(number), attempt)
            batch = self._images.take(mesh.own_rows(chosen) if mesh.is_split() else chosen)
            return np.asarray(batch.images), dict(batch.targets)

        options = grain.ReadOptions(
            num_threads=min(BATCHES_AT_ONCE, os.cpu_count() or 1), prefetch_buffer_size=BATCHES_AHEAD
        )
        steps = grain.MapDataset.range(first, self._order.num_steps).map(load)
        return iter(steps.to_iter_dataset(options))
