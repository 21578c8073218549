"""Networks that are trained on their own, evaluated and at last tested, each in a folder of its own.

architecture.json is there before a network's training begins; what `trainer` writes, examples/ and
result.json (the test split too) follow. What is there already is not made again.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any

from hytnas_jax import console
from hytnas_jax.files.atomic import read_json, to_plain, write_json
from hytnas_jax.retrain.archive import Archive
from hytnas_jax.retrain.examples import write_examples
from hytnas_jax.retrain.forecast import Expected
from hytnas_jax.retrain.next_network import Next
from hytnas_jax.retrain.trainer import Job, Quality, Trainer
from hytnas_jax.runtime import process_group
from hytnas_jax.runtime.executor import Executor
from hytnas_jax.runtime.ray_executor import RayExecutor
from hytnas_jax.tasks.base import number_or_none
from hytnas_jax.training.init_from import read_origins
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec

PUBLISHED = "published"


@dataclasses.dataclass(frozen=True)
class TrainedNetwork:
    """A retrained network, its error rate on the validation split with the standard deviation, and why it was
    chosen (None: published)."""

    spec: NetworkSpec
    error: float
    deviation: float
    chosen: Next | None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def role(self) -> str:
        return PUBLISHED if self.chosen is None else self.chosen.role


@dataclasses.dataclass(frozen=True, eq=False)
class Retraining:
    """Which networks are retrained, by what, and how many at once."""

    trainer: Trainer
    executor: Executor

    @property
    def project(self) -> Project:
        return self.trainer.project

    def begun(self, archive: Archive) -> list[Next]:
        """The networks of the archive that earlier sessions have chosen, in their order.

        Raises UserError for a file that is damaged, naming it.
        """
        rows = {architecture: row for row, architecture in enumerate(archive.architectures)}
        found: list[tuple[int, str, Next]] = []
        for path in self.trainer.folder.glob("*/architecture.json"):
            record = read_json(path)
            try:
                if record["role"] == PUBLISHED:
                    continue
                architecture = self.project.space.from_json({key: record[key] for key in ("space", "genes")})
                expected = None if record["expected"] is None else Expected(**record["expected"])
                chosen = Next(rows[architecture], record["role"], record["gain"], expected)
                found.append((int(record["number"]), path.parent.name, chosen))
            except (KeyError, TypeError, ValueError, UserError) as error:
                raise UserError(
                    f"{path}: this is no architecture as retrain writes it ({error}); delete {path.parent}, "
                    "and the same command retrains what belongs there"
                ) from None
        return [chosen for *_, chosen in sorted(found, key=lambda numbered: numbered[:2])]

    def train(
        self, archive: Archive, chosen: Sequence[Next], *, first: int, most: int
    ) -> list[TrainedNetwork]:
        """Train networks of the archive: the `first`-th of at most so many, and those that follow."""
        jobs = list[Job]()
        for number, each in enumerate(chosen, first):
            architecture = archive.architectures[each.row]
            record: dict[str, Any] = {
                **self.project.space.to_json(architecture),
                "number": number,
                "role": each.role,
                "gain": each.gain,
                "search": archive.estimates(each.row),
                "expected": None if each.expected is None else dataclasses.asdict(each.expected),
            }
            why = f"{number} of at most {most}, {each.why}"
            jobs.append(self._noted(Job(self.project.to_spec(architecture), architecture, why), record))
        qualities = self._run(jobs)
        return [
            TrainedNetwork(job.spec, *qualities[job], each) for job, each in zip(jobs, chosen, strict=True)
        ]

    def train_published(self, specs: Sequence[NetworkSpec]) -> list[TrainedNetwork]:
        """Train networks that are not of the space, from random weights."""
        record: dict[str, Any] = {"role": PUBLISHED, "search": {}, "expected": None}
        jobs = [self._noted(Job(spec, None, PUBLISHED), record) for spec in specs]
        qualities = self._run(jobs)
        return [TrainedNetwork(job.spec, *qualities[job], None) for job in jobs]

    def _noted(self, job: Job, record: dict[str, Any]) -> Job:
        path = self.trainer.folder / job.spec.name / "architecture.json"
        if not path.exists():
            write_json(path, {"network": job.spec.to_json(), **record})
        return job

    def _run(self, jobs: Sequence[Job]) -> dict[Job, Quality]:
        """Each training shows its own progress where there is one at a time; else all have one bar."""
        if not jobs:
            return {}
        is_elsewhere = isinstance(self.executor, RayExecutor)
        if not is_elsewhere and min(len(jobs), self.executor.at_once) <= 1:
            return {job: self.trainer.run(job) for job in jobs}
        found = dict[Job, Quality]()
        results = self.executor.run(dataclasses.replace(self.trainer, is_quiet=True), jobs)
        with (
            console.progress(len(jobs), "retraining networks side by side", is_even=False) as bar,
            contextlib.closing(results),
        ):
            for job, quality in results:
                found[job] = quality
                bar.note(f"{job.spec.name} is trained")
                bar.advance()
        return found

    def test(self, network: TrainedNetwork) -> dict[str, Any]:
        """`result.json`: what became of it, and its test error; the first time, the test split is read."""
        return process_group.of_lead("tested", lambda: self._test(network))

    def _test(self, network: TrainedNetwork) -> dict[str, Any]:
        path = self.trainer.folder / network.name / "result.json"
        if path.exists():
            return read_json(path)
        chosen = network.chosen
        expected = None if chosen is None else chosen.expected
        is_inherited = chosen is not None and self.trainer.start == "supernet"
        images = self.trainer.dataset.test
        tested, outputs = self.trainer.examine(network.spec, images)
        examples = write_examples(path.parent, self.project, self.trainer.dataset, outputs, tested.by_image)
        result: dict[str, Any] = {
            "validation_error_expected": None if expected is None else expected.error,
            "validation_error_retrained": network.error,
            "validation_error_deviation": number_or_none(network.deviation),
            "test_error": tested.error,
            "test_error_deviation": number_or_none(tested.deviation),
            "test_details": tested.details,
            **({"examples": examples} if examples else {}),
            "test_images": len(images),
            "epochs": self.trainer.schedule.epochs,
            "init": "supernet" if is_inherited else "scratch",
            "begun_with": read_origins(self.project.workdir.step("supernet")) if is_inherited else (),
        }
        result = to_plain(result)
        write_json(path, result)
        return result
