"""The retrained networks of a work folder, as the retrain step has left them."""

import dataclasses
import math
from pathlib import Path
from typing import Any

from hytnas_jax.files.atomic import read_json
from hytnas_jax.retrain.forecast import Expected
from hytnas_jax.shared_flags.objective_names import error_of
from hytnas_jax.workspace.workdir import Step
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec


@dataclasses.dataclass(frozen=True)
class Retrained:
    """One network: why it was chosen, what the search expected of it, what retraining made of it.

    role: what it was chosen for, in words.
    architecture: space, genes (a published network has neither) and network, as JSON.
    estimates: objective -> the search's value, in the objective's unit.
    expected: its error, as learnt from the networks retrained before it; None where nothing was known.
    result: as `result.json` has it.
    """

    name: str
    folder: Path
    spec: NetworkSpec
    role: str
    architecture: dict[str, Any]
    estimates: dict[str, float]
    expected: Expected | None
    result: dict[str, Any]

    @property
    def weights(self) -> Path:
        return self.folder / "weights.npz"

    @property
    def test_error(self) -> float:
        return float(self.result["test_error"])

    @property
    def test_deviation(self) -> float | None:
        """The standard deviation of the test error with other images; None where it is not known."""
        return self.result.get("test_error_deviation")

    @property
    def test_details(self) -> dict[str, Any]:
        """What else is told of a detector or a segmenter on the test split (`VisionTask.examine`)."""
        return dict(self.result.get("test_details", {}))

    @property
    def validation_error(self) -> float:
        """After retraining, on the validation split."""
        return float(self.result["validation_error_retrained"])

    @property
    def validation_deviation(self) -> float | None:
        """The standard deviation of the validation error with other images; None where it is not known."""
        return self.result.get("validation_error_deviation")

    @property
    def estimated_error(self) -> float:
        """The error as the search has it, which is of another scale; NaN where it did not ask for errors."""
        name = error_of(self.estimates)
        return math.nan if name is None else self.estimates[name]


def read_retrained(step: Step) -> list[Retrained]:
    """All networks of a retrain step that have a result, the lowest test error first.

    Raises UserError for a file that is damaged, naming it.

    Examples:
      >>> from pathlib import Path
      >>> from hytnas_jax import Workdir, read_retrained
      >>> networks = read_retrained(Workdir(Path("runs/mine")).step("retrain"))
      >>> [0 <= network.test_error <= 1 for network in networks]
      [True]
    """
    found = [_read(path.parent) for path in sorted(step.folder.glob("*/result.json"))]
    return sorted(found, key=lambda network: network.test_error)


def _read(folder: Path) -> Retrained:
    path = folder / "architecture.json"
    data, result = read_json(path), read_json(folder / "result.json")
    try:
        return Retrained(
            name=folder.name,
            folder=folder,
            spec=NetworkSpec.from_json(data["network"]),
            role=data["role"],
            architecture={key: data[key] for key in ("space", "genes", "network") if key in data},
            estimates={name: float(value) for name, value in data["search"].items()},
            expected=None if data.get("expected") is None else Expected(**data["expected"]),
            result=result,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path}: this is no architecture as retrain writes it ({error}); restore it from a copy, or "
            f"delete {folder} and run retrain again"
        ) from None
