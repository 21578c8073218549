"""Networks that are trained on their own, evaluated and at last tested, each in a folder of its own.

architecture.json is there before a network's training begins; weights.npz, evaluated.json (the validation
split), examples/ and result.json (the test split too) follow. What is there already is not made again. Of a
job of several processes all train; the lead evaluates and tells the others.
"""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.files.atomic import read_json, to_plain, write_json
from hytnas_jax.retrain.archive import Archive
from hytnas_jax.retrain.examples import write_examples
from hytnas_jax.retrain.forecast import Expected
from hytnas_jax.retrain.next_network import Next
from hytnas_jax.runtime import roles
from hytnas_jax.tasks import Examined
from hytnas_jax.tasks.base import number_or_none
from hytnas_jax.training.init_from import read_origins
from hytnas_jax.training.outputs import Outputs
from hytnas_jax.training.stand_alone import Schedule, examine, train_alone
from hytnas_jax.training.weights import load_weights, save_weights
from hytnas_jax.workspace.project import Project
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.model import Tree
from supernet.network_spec import NetworkSpec

PUBLISHED = "published"


@dataclasses.dataclass(frozen=True)
class Became:
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
    """How and where networks are retrained. inherited: cuts a network's first weights out of the supernet;
    None where all begin with random ones."""

    project: Project
    dataset: Dataset
    folder: Path
    schedule: Schedule
    inherited: Callable[[Architecture], Tree] | None

    def begun(self, archive: Archive) -> list[Next]:
        """The networks of the archive that earlier sessions have chosen, in their order.

        Raises UserError for a file that is damaged, naming it.
        """
        rows = {architecture: row for row, architecture in enumerate(archive.architectures)}
        found: list[tuple[int, str, Next]] = []
        for path in self.folder.glob("*/architecture.json"):
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

    def train(self, archive: Archive, chosen: Next, *, number: int, most: int) -> Became:
        """Train a network of the archive, the `number`-th of at most so many."""
        architecture = archive.architectures[chosen.row]
        spec = self.project.to_spec(architecture)
        record: dict[str, Any] = {
            **self.project.space.to_json(architecture),
            "number": number,
            "role": chosen.role,
            "gain": chosen.gain,
            "search": archive.estimates(chosen.row),
            "expected": None if chosen.expected is None else dataclasses.asdict(chosen.expected),
        }
        why = f"{number} of at most {most}, {chosen.why}"
        return Became(spec, *self._train(spec, architecture, record, why), chosen)

    def train_published(self, spec: NetworkSpec) -> Became:
        """Train a network that is not of the space, from random weights."""
        record: dict[str, Any] = {"role": PUBLISHED, "search": {}, "expected": None}
        return Became(spec, *self._train(spec, None, record, PUBLISHED), None)

    def test(self, network: Became) -> dict[str, Any]:
        """`result.json`: what became of it, and its test error; the first time, the test split is read."""
        return roles.of_lead("tested", lambda: self._test(network))

    def _test(self, network: Became) -> dict[str, Any]:
        path = self.folder / network.name / "result.json"
        if path.exists():
            return read_json(path)
        chosen = network.chosen
        expected = None if chosen is None else chosen.expected
        is_inherited = chosen is not None and self.inherited is not None
        images = self.dataset.test
        tested, outputs = self._examine(network.spec, images)
        examples = write_examples(path.parent, self.project, self.dataset, outputs, tested.by_image)
        result: dict[str, Any] = {
            "validation_error_expected": None if expected is None else expected.error,
            "validation_error_retrained": network.error,
            "validation_error_deviation": number_or_none(network.deviation),
            "test_error": tested.error,
            "test_error_deviation": number_or_none(tested.deviation),
            "test_details": tested.details,
            **({"examples": examples} if examples else {}),
            "test_images": len(images),
            "epochs": self.schedule.epochs,
            "init": "supernet" if is_inherited else "scratch",
            "begun_with": read_origins(self.project.workdir.step("supernet")) if is_inherited else (),
        }
        result = to_plain(result)
        write_json(path, result)
        return result

    def _train(
        self, spec: NetworkSpec, architecture: Architecture | None, record: dict[str, Any], why: str
    ) -> tuple[float, float]:
        """Train and evaluate what is not trained and evaluated; gives the error rate on the validation
        split, and its standard deviation."""
        folder = self.folder / spec.name
        if not (folder / "architecture.json").exists():
            write_json(folder / "architecture.json", {"network": spec.to_json(), **record})
        if not roles.of_lead("trained", (folder / "weights.npz").exists):
            weights = train_alone(
                self.project,
                self.dataset,
                spec,
                self.schedule,
                start=self.inherited(architecture) if architecture and self.inherited else None,
                folder=folder,
                label=f"retraining {spec.name} ({why})",
            )
            save_weights(folder / "weights.npz", *weights)
        noted = roles.of_lead("evaluated", lambda: self._evaluate(spec, folder / "evaluated.json"))
        deviation = noted["validation_error_deviation"]
        return float(noted["validation_error"]), math.nan if deviation is None else float(deviation)

    def _evaluate(self, spec: NetworkSpec, evaluated: Path) -> dict[str, Any]:
        """What the file says, or will say, of a trained network on the validation split."""
        noted: dict[str, Any] = read_json(evaluated) if evaluated.exists() else {}
        if "validation_error_deviation" not in noted:  # as of an earlier version
            images = self.dataset.validation
            found, _ = self._examine(spec, images)
            noted = {
                "validation_error": found.error,
                "validation_error_deviation": number_or_none(found.deviation),
                "validation_images": len(images),
            }
            write_json(evaluated, noted)
        return noted

    def _examine(self, spec: NetworkSpec, images: LabelledImages) -> tuple[Examined, Outputs]:
        weights = load_weights(self.folder / spec.name / "weights.npz")
        return examine(self.project, spec, weights, images)
