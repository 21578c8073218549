"""Runs a training: checkpoints, exact resume, divergence noticed and rolled back, metrics written.

The same for a supernet and for a stand-alone network; what a step does is the caller's.
"""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hytnas_jax import console
from hytnas_jax.runtime import compiling, mesh, process_group, stalling, stopping
from hytnas_jax.training.checkpoints import Checkpoints
from hytnas_jax.training.metrics_log import MetricsLog
from supernet.errors import UserError
from supernet.training import Metrics, TrainState

CHECK_EVERY = 20  # steps between looks at the losses
MAX_ROLLBACKS = 3
COMPILING = "compiling its program (seconds to a few minutes; it is kept for the next time)"
JUMP = 3.0  # a loss this many times the usual one, and above chance, is a divergence

# step function: (state, number of the step, attempt) -> (state, metrics). Attempt counts the rollbacks so
# far: batches and subnets drawn from it differ from those that diverged.
StepFunction = Callable[[TrainState, int, int], tuple[TrainState, Metrics]]


class Saved(NamedTuple):
    """What a checkpoint holds."""

    state: TrainState
    attempt: jax.Array


def train_loop(
    step_function: StepFunction,
    state: TrainState,
    *,
    num_steps: int,
    folder: Path,
    label: str,
    chance_loss: float,
    save_every: int = 200,
) -> TrainState:
    """Train until step `num_steps`, from the newest checkpoint under `folder` where there is one.

    Writes `folder`/checkpoints, `folder`/metrics.jsonl and TensorBoard events. A run that was cut goes on
    with the same numbers as one that was not: the step function may depend on nothing but its arguments.
    `chance_loss` is that of a network that has learnt nothing: a jump below it is no divergence.

    The state lies on every device. Where a job has several processes, all call this, and a signal that any
    of them gets is heard by all after the same step, which is saved.

    Raises:
      UserError: the loss diverged more than MAX_ROLLBACKS times.
    """
    checkpoints = Checkpoints(folder / "checkpoints")
    saved = _restore(checkpoints, Saved(state, jnp.zeros((), jnp.int32)))
    first = int(saved.state.step)
    with (
        stopping.asked_for() if process_group.size() > 1 else contextlib.nullcontext(),
        MetricsLog(folder, first_step=first) as log,
        console.progress(num_steps, label, done=first, apart=compiling.seconds) as bar,
        stalling.watched() as going_on,
    ):
        if first < num_steps:
            bar.note(COMPILING, now=True)
        run = _Run(step_function, checkpoints, log, bar, _Plan(num_steps, save_every, chance_loss))
        return run.train(saved, going_on)


def restore(folder: Path, state: TrainState, *, step: int) -> TrainState:
    """The state that a training has ended with at `step`; `state` lends its shapes.

    Raises:
      UserError: its checkpoint is missing, damaged, or of another network.
    """
    like = Saved(state, jnp.zeros((), jnp.int32))._asdict()
    return Saved(**Checkpoints(folder / "checkpoints").restore(step, like)).state


@dataclasses.dataclass(frozen=True)
class _Plan:
    """How many steps, how many between two checkpoints, and the loss of having learnt nothing."""

    num_steps: int
    save_every: int
    chance_loss: float

    def is_checked(self, step: int) -> bool:
        """Whether the losses are looked at after so many steps."""
        return step % CHECK_EVERY == 0 or self.is_saved(step)

    def is_saved(self, step: int) -> bool:
        """Whether a checkpoint is written after so many steps."""
        return step % self.save_every == 0 or step == self.num_steps


@dataclasses.dataclass(frozen=True)
class _Run:
    """A training that is under way."""

    step_function: StepFunction
    checkpoints: Checkpoints
    log: MetricsLog
    bar: console.Progress
    plan: _Plan

    def train(self, saved: Saved, going_on: Callable[[], None]) -> TrainState:
        """From a checkpoint, or from the beginning, to the last step; `going_on` is called on the way."""
        state, attempt = saved.state, int(saved.attempt)
        step, pending = int(state.step), list[Metrics]()
        if not self.checkpoints.steps():
            self.checkpoints.save(step, saved._asdict())
        while step < self.plan.num_steps:
            state, metrics = self.step_function(state, step, attempt)
            pending.append(metrics)
            step += 1
            if not self.plan.is_checked(step):
                continue
            going_on()
            if _diverged(pending, self.log.losses, self.plan.chance_loss):
                attempt = _next_attempt(attempt, step)
                state = self._rolled_back(state, step - len(pending))
                step, pending = int(state.step), []
                continue
            self._report(step, pending)
            pending = []
            signal = process_group.signal_of_any(stopping.signal_so_far())
            if self.plan.is_saved(step) or signal is not None:
                saved = Saved(state, mesh.replicated(jnp.int32(attempt)))
                self.checkpoints.save(step, saved._asdict())
            if signal is not None:
                stopping.stop(signal)
        return state

    def _rolled_back(self, state: TrainState, shown: int) -> TrainState:
        """The state of the newest checkpoint; `shown` steps stand on the screen."""
        state = _restore(self.checkpoints, Saved(state, jnp.int32(0))).state
        self.bar.advance(int(state.step) - shown)
        self.log.drop_from(int(state.step))
        return state

    def _report(self, step: int, pending: list[Metrics]) -> None:
        self.log.write(step - len(pending), pending)
        self.bar.note(_note(pending))
        self.bar.advance(len(pending))


def _diverged(pending: list[Metrics], before: list[float], chance_loss: float) -> bool:
    """Whether numbers are not finite, or the loss jumped over those `before`.

    A jump is JUMP times the median of the latest hundred, and above guessing's. A gradient that is not
    finite has spoilt the parameters, even where the loss shows it only at the next step.
    """
    losses = np.array([metrics.loss for metrics in pending])
    norms = np.array([metrics.gradient_norm for metrics in pending])
    if not (np.all(np.isfinite(losses)) and np.all(np.isfinite(norms))):
        return True
    if len(before) < CHECK_EVERY:
        return False
    bound = max(JUMP * float(np.median(before[-100:])), 1.5 * chance_loss)
    return bool(np.median(losses[:, 0]) > bound)


def _next_attempt(attempt: int, step: int) -> int:
    if attempt >= MAX_ROLLBACKS:
        raise UserError(
            f"the loss diverged at step {step}, the {attempt + 1}th time; the last good checkpoint is kept. "
            "Delete the step's folder and train with a smaller --learning-rate (a third of this one, say)"
        )
    console.warn(f"the loss diverged at step {step}: back to the last good checkpoint, with other batches")
    return attempt + 1


def _restore(checkpoints: Checkpoints, like: Saved) -> Saved:
    """The newest whole checkpoint, or `like` where there is none. Raises UserError for one of other arrays.

    Bound to the devices from the first step on, as every output of a step is where one input is (Orbax gives
    such arrays): else the second step would be compiled anew.
    """
    step = checkpoints.newest()
    if step is not None:
        like = Saved(**checkpoints.restore(step, like._asdict()))
    return mesh.replicated(like)


def _note(pending: list[Metrics]) -> str:
    loss = np.mean([m.loss[0] for m in pending])
    accuracy = np.mean([m.accuracy[0] for m in pending])
    text = f"loss {loss:.2f} · right in training {accuracy:.2f}"
    others = [m.accuracy[1:] for m in pending]
    return text if others[0].size == 0 else f"{text} (subnets {np.mean(others):.2f})"
