"""Drawing networks, measuring them on this machine, and fitting the latency predictor."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hytnas_jax import architecture_row, console
from hytnas_jax.command import settings_of
from hytnas_jax.device.measure import Timing, describe_shift, is_shifted, shift, time_models, to_check
from hytnas_jax.device.onnx_graph import build_onnx
from hytnas_jax.environment import environment
from hytnas_jax.project import open_project
from hytnas_jax.workdir import CsvLog, Step, Workdir, command_line, read_json, write_json
from proxies.latency import MIN_NETWORKS, LatencyPredictor
from proxies.latency_features import feature_table
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

if TYPE_CHECKING:
    from hytnas_jax.measure_latency import Config

STEP = "latency"
DRAWS_PER_NETWORK = 4  # in a small space many draws are the same network
WIDE = 0.05  # the uncertainty, as a fraction of a latency, from which on the user is told


def measure_latency(config: Config) -> None:
    """Measures, fits, and says how good the predictor is on networks that it has not seen."""
    project = open_project(Workdir(config.workdir))
    step = project.workdir.step(STEP)
    # A latency is of the processor that it was measured on.
    settings = {**settings_of(config), "cpu": environment()["cpu"]}
    step.begin(settings, {"data": project.done_id})
    if step.is_done:
        console.say(f"step {STEP!r} is done; delete {step.folder} to measure anew")
        predictor, files = load_predictor(step), []
    else:
        predictor = measure(
            project.space,
            step,
            channels=project.channels,
            num_classes=project.num_classes,
            networks=config.networks,
            seed=config.seed,
        )
        step.finish(dataclasses.asdict(predictor.error))
        files = [step.folder / "measurements.csv", step.folder / "predictor.json"]
    error = predictor.error
    console.say(
        f"latency predictor, on held-out networks: Spearman {error.spearman:.3f}, mean error "
        f"{100 * error.mape:.1f} % ({error.num_networks} networks, each predicted without its fold)"
    )
    console.wrote(files, command_line("search", config.workdir))


def measure(
    space: SearchSpace, step: Step, *, channels: int, num_classes: int, networks: int, seed: int
) -> LatencyPredictor:
    """Measure what is not yet measured, and fit; writes `measurements.csv` and `predictor.json`.

    Args:
        space: where the networks are drawn from.
        step: whose folder holds the files.
        channels: of the pictures.
        num_classes: of the classifier.
        networks: how many to measure; fewer where the space has fewer.
        seed: of the draw.

    Raises:
        UserError: too few networks, or a measurement in the file that cannot be one.
    """
    drawn = draw_networks(space, networks, seed)
    measurements = Measurements(step.folder / "measurements.csv", space)

    def to_onnx(architecture: Architecture) -> bytes:
        return build_onnx(space.network_spec(architecture, channels=channels, num_classes=num_classes))

    before = measurements.read()
    missing = [architecture for architecture in drawn if architecture not in before]
    before_ms = {architecture: timing.latency_ms for architecture, timing in before.items()}
    again = to_check(before_ms) if missing else []
    queue = [*again, *missing]
    repeated: dict[Architecture, float] = {}
    done = len(drawn) - len(missing)
    with console.progress(len(drawn), "measuring latency", done=done, is_even=False) as bar:
        timings = time_models(map(to_onnx, queue), on_round=lambda number: bar.note(f"round {number}"))
        for index, timing in timings:
            if index < len(again):
                repeated[again[index]] = timing.latency_ms
                continue
            measurements.append(queue[index], timing)
            bar.advance()
    _warn_if_shifted(shift(before_ms, repeated), step.folder)

    measured = measurements.read()
    _warn_if_wide(list(measured.values()), step.folder)
    specs = [space.network_spec(a, channels=channels, num_classes=num_classes) for a in measured]
    latency_ms = np.array([timing.latency_ms for timing in measured.values()])
    predictor = LatencyPredictor.fit(feature_table(specs), latency_ms)
    write_json(step.folder / "predictor.json", predictor.to_json())
    return predictor


def load_predictor(step: Step, file: str = "predictor.json") -> LatencyPredictor:
    """A predictor that the step has made. Raises UserError where it has not, or the file is damaged."""
    step.require("measure_latency" if step.name == STEP else "fit_latency")
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


def draw_networks(
    space: SearchSpace, count: int, seed: int, *, least: int = MIN_NETWORKS
) -> list[Architecture]:
    """Up to `count` different networks, uniformly from the space; fewer where it has fewer.

    Raises:
        UserError: the count, or the space, has fewer than the `least` that a predictor needs.
    """
    if count < least:
        raise UserError(f"--networks {count}: a latency predictor needs {least} or more")
    codes = space.sample(np.random.default_rng(seed), DRAWS_PER_NETWORK * count)
    _, first = np.unique(codes, axis=0, return_index=True)
    kept = codes[np.sort(first)[:count]]
    if len(kept) < least:
        raise UserError(
            f"space {space.name!r} has {len(kept)} different networks or a few more; a latency predictor "
            f"needs {least}: give genes more choices, or loosen the constraints"
        )
    if len(kept) < count:
        console.warn(f"--networks {count}: the space gave {len(kept)} different ones, which are measured")
    return space.decode_all(kept)


class Measurements:
    """`measurements.csv`: a row for each measured network, its genes as values, its timing."""

    def __init__(self, path: Path, space: SearchSpace) -> None:
        """Open or start the file. Raises UserError where it is of another space's genes."""
        self._space = space
        titles = architecture_row.columns(space)
        self._log = CsvLog(path, (*titles, "latency_ms", "low_ms", "high_ms", "num_rounds"))

    def append(self, architecture: Architecture, timing: Timing) -> None:
        """Add a row; it is on the disk when this returns."""
        cells = architecture_row.to_cells(self._space, architecture)
        self._log.append({**cells, **dataclasses.asdict(timing)})

    def read(self) -> dict[Architecture, Timing]:
        """All rows in their order. Raises UserError naming the line that cannot be a measurement."""
        measured: dict[Architecture, Timing] = {}
        for number, row in enumerate(self._log.rows(), start=2):
            try:
                architecture, timing = self._parse(row)
                if architecture in measured:
                    raise ValueError(f"network {architecture.name} is there twice")
            except ValueError as error:
                raise UserError(
                    f"{self._log.path}, line {number}: {error}; delete the line and the same command "
                    "measures that network again"
                ) from None
            measured[architecture] = timing
        return measured

    def _parse(self, row: dict[str, str]) -> tuple[Architecture, Timing]:
        return architecture_row.from_cells(self._space, row), Timing.from_cells(row)


def _warn_if_wide(timings: Sequence[Timing], folder: Path) -> None:
    wide = sum(timing.half_width > WIDE for timing in timings)
    if wide:
        console.warn(
            f"{wide} of {len(timings)} latencies are uncertain by more than {WIDE:.0%}: something else uses "
            f"this machine. The work can go on; for better ones end it, delete {folder} and measure again"
        )


def _warn_if_shifted(times: float, folder: Path) -> None:
    """Says so where the machine is quicker or slower than in the session that was cut."""
    if is_shifted(times):
        console.warn(
            f"the machine is {describe_shift(times)} when the measurement was begun: the latencies are of "
            f"two scales. Delete {folder} and measure all again while the machine does nothing else"
        )
