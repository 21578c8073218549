"""The networks that were measured on this machine, and the predictor fitted on them."""

import dataclasses
from pathlib import Path

from hytnas_jax.files.atomic import read_json
from hytnas_jax.latency.devices import require_latency
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.workspace.architecture_log import ArchitectureLog
from hytnas_jax.workspace.workdir import Step, command_line
from proxies.latency.predictor import LatencyPredictor
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

STEP = "latency"
TIMING = tuple(field.name for field in dataclasses.fields(Timing))


def load_predictor(step: Step, file: str = "predictor.json") -> LatencyPredictor:
    """A predictor that the step has made. Raises UserError where it has not, or the file is damaged."""
    require_latency(step)
    path = step.folder / file
    try:
        return LatencyPredictor.from_json(read_json(path))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def measured_networks(step: Step, space: SearchSpace) -> dict[Architecture, Timing]:
    """What the step's predictor was fitted on. Raises UserError where the file is missing or damaged."""
    path = step.folder / "measurements.csv"
    if not path.exists():
        raise UserError(
            f"{path}: there is no such file; restore it from a copy, or delete {step.folder} and run "
            f"{command_line('measure_latency', step.folder.parent)}"
        )
    return Measurements(path, space).read()


class Measurements:
    """`measurements.csv`: a row for each measured network, its genes as values, its timing."""

    def __init__(self, path: Path, space: SearchSpace) -> None:
        """Open or start the file. Raises UserError where it is of another space's genes."""
        self._log = ArchitectureLog(path, space, TIMING)

    def append(self, architecture: Architecture, timing: Timing) -> None:
        """Add a row; it is on the disk when this returns."""
        self._log.append(architecture, dataclasses.asdict(timing))

    def read(self) -> dict[Architecture, Timing]:
        """All rows in their order. Raises UserError naming the line that cannot be a measurement."""
        measured: dict[Architecture, Timing] = {}

        def add(architecture: Architecture, row: dict[str, str]) -> None:
            timing = Timing.from_cells(row)
            if architecture in measured:
                raise ValueError(f"network {architecture.name} is there twice")
            measured[architecture] = timing

        self._log.each(add, remedy="delete the line and the same command measures that network again")
        return measured
