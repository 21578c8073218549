"""A search measures what it evaluates, and fits the latency predictor again where it was wrong.

Networks of a front are unlike those that measure_latency draws: smaller, or all of one kind. So those of
each batch are timed, in the same rounds as a few of measure_latency's. By these it is known how much quicker
or slower the machine is now: times are divided by that; where it is far off, they are not used. Where what
is left disagrees with the predictor (`disagreement`), it is fitted to all measurements there are.

Measurements cannot be repeated, so everything is derived from those in `measured.csv`: a search that goes on
reads them, and comes to the same predictor after each batch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hytnas_jax import console
from hytnas_jax.latency.measurements import STEP, measured_networks
from hytnas_jax.latency.session import milliseconds, time_beside
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.numbers import counted
from hytnas_jax.on_device.measure import Timing, describe_shift, is_shifted
from hytnas_jax.runtime.environment import environment
from hytnas_jax.search.disagreement import Batch
from hytnas_jax.search.log import EvaluationLog
from hytnas_jax.search.measured_log import MeasuredLog, Session
from hytnas_jax.search.problem import SearchProblem
from hytnas_jax.workspace.project import Project
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyPredictor
from supernet.architecture import Architecture


@dataclasses.dataclass(frozen=True)
class Recalibrated:
    """What measuring came to. networks: measured, and used. unused: measured while the machine was another.

    first_error: the mean error of measure_latency's predictor on the networks used; held_out_error: that of
    the search's own, each network predicted before it was measured. Both are None where none was used.
    """

    networks: int
    unused: int
    recalibrations: int
    first_error: float | None
    held_out_error: float | None

    def in_words(self) -> str:
        """What to tell the user."""
        if self.first_error is None or self.held_out_error is None:
            return "no latency that was measured on the way could be set against the predictor"
        first = (
            f"measured {counted(self.networks, 'network')} on the way: the predictor of measure_latency errs "
            f"there by {100 * self.first_error:.1f}% in the mean"
        )
        if not self.recalibrations:
            return f"{first}, and was kept"
        times = "once" if self.recalibrations == 1 else f"{self.recalibrations} times"
        return (
            f"{first}; the search's own, fitted again {times}, by {100 * self.held_out_error:.1f}% (each "
            "network predicted before it was measured)"
        )


class Recalibration:
    """The measured networks of a search, and the predictor that they have come to."""

    def __init__(
        self, project: Project, search_problem: SearchProblem, log: EvaluationLog, folder: Path
    ) -> None:
        """Take up what earlier sessions have measured; `search_problem` begins with measure_latency's
        predictor.

        Raises:
            UserError: a file of measurements is missing or damaged.
        """
        self._project, self._problem, self._log = project, search_problem, log
        self._sample = measured_networks(project.workdir.step(STEP), project.space)
        self._folder = folder
        self._measured = MeasuredLog(folder / "measured.csv", project.space)
        self._first = search_problem.predictor
        self._recalibrations = self._unused = 0
        self._errors: list[float] = []
        self._first_errors: list[float] = []
        # Of measure_latency and of the search so far, as if all had been measured by measure_latency.
        self.measured_ms = milliseconds(self._sample)
        log.recompute()  # the file may be of a later predictor

    def after_batch(self, start: int, stop: int) -> None:
        """Measure the networks of these rows of the log where none has, and evaluate the predictor by
        them."""
        networks = [
            a for a in self._project.space.decode_all(self._log.genes[start:stop]) if a not in self._sample
        ]
        known = {a for session in self._measured.sessions.values() for a in session.new}
        missing = [architecture for architecture in networks if architecture not in known]
        if missing:
            self._measured.append(stop, self._measure(missing, stop))
        usable = self._usable(networks)
        self._unused += len(networks) - len(usable)
        if usable:
            self._evaluate(usable)

    def summary(self) -> Recalibrated:
        """What the measuring has come to so far."""
        count = len(self._errors)
        first, held_out = self._first_errors, self._errors
        errors = (float(np.mean(first)), float(np.mean(held_out))) if count else (None, None)
        return Recalibrated(count, self._unused, self._recalibrations, *errors)

    def _measure(self, networks: Sequence[Architecture], evaluations: int) -> Session:
        new: dict[Architecture, Timing] = {}
        again = time_beside(
            milliseconds(self._sample),
            networks,
            lambda architecture: build_onnx(self._project.to_spec(architecture)),
            new.__setitem__,
        )
        session = Session({a: new[a] for a in networks}, again)
        shift = session.shift(self._sample)
        if is_shifted(shift):
            console.warn(
                f"after {counted(evaluations, 'evaluation')}: the machine is {describe_shift(shift)} when "
                f"measure_latency measured, so what is measured now "
                f"({counted(len(networks), 'network')}) is not used. "
                f"{self._remedy(shift)}"
            )
        return session

    def _remedy(self, shift: float) -> str:
        if shift > 1:
            return "Let it do nothing else: what is measured from then on is used"
        latency = self._project.workdir.step(STEP).folder
        return (
            f"It was busy then, and all predicted latencies are too long: their order holds; for the "
            f"milliseconds delete {latency} and {self._folder}, and run both steps again"
        )

    def _usable(self, networks: Sequence[Architecture]) -> dict[Architecture, tuple[float, float]]:
        """Milliseconds as they would have been when measure_latency measured, and `half_width`, of those
        networks that were measured while the machine was about as quick."""
        usable: dict[Architecture, tuple[float, float]] = {}
        for session in self._measured.sessions.values():
            shift = session.shift(self._sample)
            if not is_shifted(shift):
                usable |= {
                    a: (timing.latency_ms / shift, timing.half_width) for a, timing in session.new.items()
                }
        return {a: usable[a] for a in networks if a in usable}

    def _evaluate(self, usable: Mapping[Architecture, tuple[float, float]]) -> None:
        """Compare with what was predicted, and change the predictor: to another fit, or to a wider region."""
        features, predictor = self._features([*usable]), self._problem.predictor
        measured_ms, half_width = np.array([*usable.values()]).T
        batch = Batch(predictor.predict(features), measured_ms, half_width)
        self._errors += batch.errors.tolist()
        self._first_errors += Batch(self._first.predict(features), measured_ms, half_width).errors.tolist()
        self.measured_ms.update(zip(usable, measured_ms.tolist(), strict=True))
        if batch.disagrees(predictor.error.mape):
            self._recalibrations += 1
            self._problem.change_predictor(self._fit())
            self._log.recompute()
        else:
            self._problem.change_predictor(predictor.widened(features))

    def _fit(self) -> LatencyPredictor:
        features = self._features([*self.measured_ms])
        return LatencyPredictor.fit(features, np.array([*self.measured_ms.values()]))

    def _features(self, networks: Sequence[Architecture]) -> np.ndarray:
        return feature_table(self._project.to_spec(architecture) for architecture in networks)


def is_same_processor(project: Project) -> bool:
    """Whether this is the processor that measure_latency has measured; warns where it is not."""
    before, now = project.workdir.step(STEP).done()["environment"]["cpu"], environment()["cpu"]
    if before != now:
        console.warn(
            f"the latency predictor was fitted on {before}, this is {now}: nothing is measured during the "
            f"search, and latencies are those of {before}"
        )
    return bool(before == now)
