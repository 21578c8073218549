"""Trains chosen networks on their own: in this process, or several at once in others.

weights.npz and evaluated.json (the validation split) lie in a folder for each. What is there already is not
made again. Of a job of several processes all train a network together; the lead evaluates and tells the
others.
"""

import contextlib
import dataclasses
import functools
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.runtime import process_group
from hytnas_jax.runtime.preparation import prepare_worker
from hytnas_jax.tasks import Examined
from hytnas_jax.tasks.base import number_or_none
from hytnas_jax.training.outputs import Outputs
from hytnas_jax.training.stand_alone import Schedule, examine, train_alone
from hytnas_jax.training.supernet import shared_weights
from hytnas_jax.training.weights import load_weights, save_weights
from hytnas_jax.workspace.project import Project
from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.network_spec import NetworkSpec

Start = Literal["supernet", "scratch"]


class Quality(NamedTuple):
    """What a network's error rate on the validation split is, with its standard deviation (NaN: unknown)."""

    error: float
    deviation: float


@dataclasses.dataclass(frozen=True)
class Job:
    """One network to train. architecture: None for one that is not of the space. why: it was chosen."""

    spec: NetworkSpec
    architecture: Architecture | None
    why: str

    def __str__(self) -> str:
        return f"retraining {self.spec.name} ({self.why})"


@dataclasses.dataclass(frozen=True, eq=False)
class Trainer:
    """Trains networks and evaluates them on the validation split: work for an executor.

    start: what networks of the space begin with. is_quiet: whether a training shows no progress of its own,
    as where several run at once.
    """

    project: Project
    dataset: Dataset
    folder: Path
    schedule: Schedule
    start: Start
    is_quiet: bool = False

    def run(self, training: Job) -> Quality:
        """Train and evaluate what is not trained and evaluated."""
        with contextlib.redirect_stdout(io.StringIO()) if self.is_quiet else contextlib.nullcontext():
            if self.is_quiet:
                prepare_worker(self.project.workdir.path, self.folder)
            folder = self.folder / training.spec.name
            if not process_group.of_lead("trained", (folder / "weights.npz").exists):
                weights = train_alone(
                    self.project,
                    self.dataset,
                    training.spec,
                    self.schedule,
                    start=self._first_weights(training.architecture),
                    folder=folder,
                    label=str(training),
                )
                save_weights(folder / "weights.npz", *weights)
            noted = process_group.of_lead(
                "evaluated", lambda: self._evaluate(training.spec, folder / "evaluated.json")
            )
        deviation = noted["validation_error_deviation"]
        return Quality(float(noted["validation_error"]), math.nan if deviation is None else float(deviation))

    def examine(self, spec: NetworkSpec, images: LabelledImages) -> tuple[Examined, Outputs]:
        """What is told of a trained network on one split's images, and its outputs for them."""
        weights = load_weights(self.folder / spec.name / "weights.npz")
        return examine(self.project, spec, weights, images)

    def _first_weights(self, architecture: Architecture | None) -> Tree | None:
        if architecture is None or self.start == "scratch":
            return None
        return self._inherited(architecture)

    @functools.cached_property
    def _inherited(self) -> Callable[[Architecture], Tree]:
        """The supernet is read once in each process."""
        return shared_weights(self.project)

    def _evaluate(self, spec: NetworkSpec, evaluated: Path) -> dict[str, Any]:
        """What the file says, or will say, of a trained network on the validation split."""
        noted: dict[str, Any] = read_json(evaluated) if evaluated.exists() else {}
        if "validation_error_deviation" not in noted:  # as of an earlier version
            images = self.dataset.validation
            found, _ = self.examine(spec, images)
            noted = {
                "validation_error": found.error,
                "validation_error_deviation": number_or_none(found.deviation),
                "validation_images": len(images),
            }
            write_json(evaluated, noted)
        return noted
