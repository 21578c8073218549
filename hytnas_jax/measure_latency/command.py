"""Drawing networks, measuring them on this machine, and fitting the latency predictor."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hytnas_jax import console
from hytnas_jax.files.atomic import write_json
from hytnas_jax.latency.measurements import STEP, Measurements, load_predictor
from hytnas_jax.latency.sample import draw_networks
from hytnas_jax.latency.session import milliseconds, time_beside
from hytnas_jax.measure_latency.config import Config
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.numbers import counted
from hytnas_jax.on_device.measure import Timing, describe_shift, is_shifted, shift
from hytnas_jax.runtime.environment import environment
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyPredictor
from supernet.architecture import Architecture
from supernet.search_space import SearchSpace

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
        f"{100 * error.mape:.1f}% ({error.num_networks} networks, each predicted without its fold)"
    )
    console.wrote(files, command_line("search", config.workdir))


def measure(
    space: SearchSpace, step: Step, *, channels: int, num_classes: int, networks: int, seed: int
) -> LatencyPredictor:
    """Measure what is not yet measured, and fit; writes `measurements.csv` and `predictor.json`.

    Args:
        space: where the networks are drawn from.
        step: whose folder holds the files.
        channels: of the images.
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
    before_ms = milliseconds(before)
    done = len(drawn) - len(missing)
    with console.progress(len(drawn), "measuring latency", done=done, is_even=False) as bar:

        def add(architecture: Architecture, timing: Timing) -> None:
            measurements.append(architecture, timing)
            bar.advance()

        now = time_beside(
            before_ms, missing, to_onnx, add, on_round=lambda number: bar.note(f"round {number}")
        )
    _warn_if_shifted(shift(before_ms, milliseconds(now)), step.folder)

    measured = measurements.read()
    _warn_if_wide(list(measured.values()), step.folder)
    specs = [space.network_spec(a, channels=channels, num_classes=num_classes) for a in measured]
    latency_ms = np.array([timing.latency_ms for timing in measured.values()])
    predictor = LatencyPredictor.fit(feature_table(specs), latency_ms)
    write_json(step.folder / "predictor.json", predictor.to_json())
    return predictor


def _warn_if_wide(timings: Sequence[Timing], folder: Path) -> None:
    wide = sum(timing.half_width > WIDE for timing in timings)
    if wide:
        among = f"of {counted(len(timings), 'latency', 'latencies')}"
        console.warn(
            f"{counted(wide, f'{among} is', f'{among} are')} uncertain by more than {WIDE:.0%}: "
            f"something else uses "
            f"this machine. The work can go on; for better ones end it, delete {folder} and measure again"
        )


def _warn_if_shifted(times: float, folder: Path) -> None:
    """Says so where the machine is quicker or slower than in the session that was cut."""
    if is_shifted(times):
        console.warn(
            f"the machine is {describe_shift(times)} when the measurement was begun: the latencies are of "
            f"two scales. Delete {folder} and measure all again while the machine does nothing else"
        )
