"""What a trained network makes of the images of a split, in parts: not all images have to be in memory."""

import functools
from collections.abc import Iterator

import jax
import numpy as np

from hytnas_jax.data import LabelledImages
from hytnas_jax.training.evaluation_images import BATCH
from hytnas_jax.workspace.project import Project
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec
from supernet.tasks.base import Targets


class Outputs:
    """Outputs [n, ...] and targets of one part after the other; each is computed when it is asked for."""

    def __init__(
        self, project: Project, spec: NetworkSpec, weights: tuple[Tree, Tree], images: LabelledImages
    ) -> None:
        self._project, self._weights, self._images = project, weights, images
        self._apply = jax.jit(functools.partial(stand_alone(spec).apply, train=False))
        self._resolution = spec.resolution
        self._parts = np.array_split(np.arange(len(images)), -(-len(images) // BATCH))

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
        outputs = self._apply(*self._weights, self._project.prepared(part, self._resolution))[0]
        return np.asarray(outputs), part.targets
