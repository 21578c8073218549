"""Training networks on their own, by several processes, each result on the disk when it is there.

`references.csv` grows by a row for each job that has ended; one that was cut goes on from its checkpoint.
"""

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from hytnas_jax import console
from hytnas_jax.accuracy.reference_table import ReferenceJob, ReferenceTable, Trained
from hytnas_jax.data import Dataset
from hytnas_jax.runtime.executor import Executor
from hytnas_jax.runtime.preparation import prepare_worker
from hytnas_jax.training.stand_alone import Schedule, train_and_evaluate
from hytnas_jax.workspace.project import Project


@dataclasses.dataclass(frozen=True, eq=False)
class ReferenceTrainer:
    """Trains a job's network from random weights by one fixed recipe; seed and epochs are the job's."""

    project: Project
    dataset: Dataset
    schedule: Schedule
    folder: Path

    def run(self, job: ReferenceJob) -> Trained:
        """Train, evaluate on the validation split, and remove the checkpoints."""
        prepare_worker(self.project.workdir.path, self.project.workdir.path)
        started = time.perf_counter()
        folder = self.folder / f"{job.architecture.name}-{job.seed}-{job.epochs}"
        spec = self.project.to_spec(job.architecture)
        schedule = dataclasses.replace(self.schedule, seed=job.seed, epochs=job.epochs)
        error, loss = train_and_evaluate(
            self.project, self.dataset, spec, schedule, start=None, folder=folder, label=str(job)
        )
        return Trained(error, loss, time.perf_counter() - started)


def train_missing(
    trainer: ReferenceTrainer, table: ReferenceTable, jobs: Sequence[ReferenceJob], executor: Executor
) -> None:
    """Train what `table` does not have yet."""
    done = table.read()
    todo = [job for job in jobs if job not in done]
    if not todo:
        return
    results = executor.run(trainer, todo)
    bar = console.progress(len(jobs), "training networks on their own", done=len(jobs) - len(todo))
    with bar, contextlib.closing(results):
        for job, trained in results:
            table.append(job, trained)
            bar.note(f"{job}: error {trained.error:.3f}")
            bar.advance()
