"""Runs a training: checkpoints, exact resume, divergence noticed and rolled back, metrics written.

The same for a supernet and for a stand-alone network; what a step does is the caller's.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from hytnas_jax import console
from hytnas_jax.metrics_log import MetricsLog
from supernet.errors import UserError
from supernet.training import Metrics, TrainState

CHECK_EVERY = 20  # steps between looks at the losses
MAX_ROLLBACKS = 3
JUMP = 3.0  # a loss this many times the usual one, and above chance, is a divergence

# step function: (state, number of the step, attempt) -> (state, metrics). Attempt counts the rollbacks so
# far: batches and subnets drawn from it differ from those that diverged.
StepFunction = Callable[[TrainState, int, int], tuple[TrainState, Metrics]]


class Saved(NamedTuple):
    """What a checkpoint holds."""

    state: TrainState
    attempt: jax.Array


def fit(
    step_function: StepFunction,
    state: TrainState,
    *,
    num_steps: int,
    folder: Path,
    label: str,
    num_classes: int,
    save_every: int = 200,
) -> TrainState:
    """Train until step `num_steps`, from the newest checkpoint under `folder` where there is one.

    Writes `folder`/checkpoints, `folder`/metrics.jsonl and TensorBoard events. A run that was cut goes on
    with the same numbers as one that was not: the step function may depend on nothing but its arguments.

    Raises:
      UserError: the loss diverged more than MAX_ROLLBACKS times.
    """
    logging.getLogger("absl").setLevel(logging.ERROR)  # Orbax tells the terminal about every save
    options = ocp.CheckpointManagerOptions(max_to_keep=2, enable_async_checkpointing=False)
    with ocp.CheckpointManager((folder / "checkpoints").absolute(), options=options) as manager:
        saved = _restore(manager, Saved(state, jnp.zeros((), jnp.int32)))
        first = int(saved.state.step)
        with (
            MetricsLog(folder, first_step=first) as log,
            console.progress(num_steps, label, done=first) as bar,
        ):
            return _run(step_function, saved, manager, log, bar, num_steps, num_classes, save_every)


def restore(folder: Path, state: TrainState) -> TrainState:
    """The state of the newest checkpoint under `folder`; `state` lends its shapes."""
    with ocp.CheckpointManager((folder / "checkpoints").absolute()) as manager:
        if manager.latest_step() is None:
            raise UserError(f"{folder}: there is no checkpoint; delete the folder and make the step again")
        return _restore(manager, Saved(state, jnp.zeros((), jnp.int32))).state


def _run(
    step_function: StepFunction,
    saved: Saved,
    manager: ocp.CheckpointManager,
    log: MetricsLog,
    bar: console.Progress,
    num_steps: int,
    num_classes: int,
    save_every: int,
) -> TrainState:
    pending: list[Metrics] = []
    state, attempt = saved.state, int(saved.attempt)
    step = int(state.step)
    if manager.latest_step() is None:
        _save(manager, step, saved)
    while step < num_steps:
        state, metrics = step_function(state, step, attempt)
        pending.append(metrics)
        step += 1
        if step % CHECK_EVERY and step % save_every and step < num_steps:
            continue
        if _diverged(pending, log.losses, num_classes):
            attempt = _next_attempt(attempt, step)
            saved = _restore(manager, Saved(state, jnp.int32(0)))
            state = saved.state
            bar.advance(int(state.step) - step + len(pending))
            step, pending = int(state.step), []
            log.drop_from(step)
            continue
        log.write(step - len(pending), pending)
        bar.note(_note(pending))
        bar.advance(len(pending))
        pending = []
        if step % save_every == 0 or step == num_steps:
            _save(manager, step, Saved(state, jnp.int32(attempt)))
    return state


def _diverged(pending: list[Metrics], before: list[float], num_classes: int) -> bool:
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
    bound = max(JUMP * float(np.median(before[-100:])), 1.5 * float(np.log(num_classes)))
    return bool(np.median(losses[:, 0]) > bound)


def _next_attempt(attempt: int, step: int) -> int:
    if attempt >= MAX_ROLLBACKS:
        raise UserError(
            f"the loss diverged at step {step}, the {attempt + 1}th time; the last good checkpoint is kept. "
            "Delete the step's folder and train with a smaller --learning-rate (a third of this one, say)"
        )
    console.warn(f"the loss diverged at step {step}: back to the last good checkpoint, with other batches")
    return attempt + 1


def _save(manager: ocp.CheckpointManager, step: int, saved: Saved) -> None:
    manager.save(step, args=ocp.args.StandardSave(saved._asdict()), force=True)
    manager.wait_until_finished()


def _restore(manager: ocp.CheckpointManager, like: Saved) -> Saved:
    """The newest checkpoint, or `like` where there is none. Raises UserError for one of other arrays.

    Bound to the device from the first step on, as every output of a step is where one input is (Orbax gives
    such arrays): else the second step would be compiled anew.
    """
    step = manager.latest_step()
    if step is not None:
        abstract: Any = jax.tree.map(ocp.utils.to_shape_dtype_struct, like._asdict())
        try:
            like = Saved(**manager.restore(step, args=ocp.args.StandardRestore(abstract)))
        except ValueError as error:  # of another structure or other shapes
            folder = Path(str(manager.directory)).parent
            raise UserError(
                f"{folder}: its checkpoint is that of another network or of another version of hytnas_jax; "
                "delete the folder and make the step again"
            ) from error
    return jax.device_put(like, jax.local_devices()[0])


def _note(pending: list[Metrics]) -> str:
    loss = np.mean([m.loss[0] for m in pending])
    accuracy = np.mean([m.accuracy[0] for m in pending])
    text = f"loss {loss:.2f} · training accuracy {accuracy:.2f}"
    others = [m.accuracy[1:] for m in pending]
    return text if others[0].size == 0 else f"{text} (subnets {np.mean(others):.2f})"
