"""What a trained network makes of the images of a split, in parts: not all images have to be in memory."""

from collections.abc import Iterator

import numpy as np

from hytnas_jax.data import LabelledImages
from hytnas_jax.model_files.runtimes import BATCH
from hytnas_jax.workspace.project import Project
from supernet.model import Tree
from supernet.network import compiled_outputs
from supernet.network_spec import NetworkSpec
from supernet.tasks.base import Targets


class Outputs:
    """Outputs [n, ...] and targets of one part after the other; each is computed when it is asked for."""

    def __init__(
        self, project: Project, spec: NetworkSpec, weights: tuple[Tree, Tree], images: LabelledImages
    ) -> None:
        self._project, self._weights, self._images = project, weights, images
        self._outputs = compiled_outputs(spec)
        self._resolution, rows = spec.resolution, np.arange(len(images))
        self._size = min(BATCH, len(images))  # that of exported files, so that one program serves both
        self._parts = [rows[start : start + self._size] for start in range(0, len(rows), self._size)]

    def __iter__(self) -> Iterator[tuple[np.ndarray, Targets]]:
        for rows in self._parts:
            yield self._of(rows)

    def of_row(self, row: int) -> np.ndarray:
        """The output for one image, to the bit as in its part."""
        rows = next(part for part in self._parts if row in part)
        outputs, _ = self._of(rows)
        output: np.ndarray = outputs[row - rows[0]]
        return output

    def _of(self, rows: np.ndarray) -> tuple[np.ndarray, Targets]:
        part = self._images.take(rows)
        prepared = self._project.prepared(part, self._resolution, multiple_of=self._size)
        return np.asarray(self._outputs(*self._weights, prepared))[: len(rows)], part.targets
