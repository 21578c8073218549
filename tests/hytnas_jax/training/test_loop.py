"""Exact resume and roll-back, on a training without a network; then on a real supernet."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from hytnas_jax.train_supernet import command
from hytnas_jax.train_supernet.config import Config
from hytnas_jax.training.loop import StepFunction, restore, train_loop
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir
from supernet import training
from supernet.errors import UserError
from supernet.training import Metrics, TrainState

from .. import artificial

NUM_STEPS, SAVE_EVERY = 90, 40


class Cut(KeyboardInterrupt):
    """What a Ctrl-C is to a training."""


def train(
    folder: Path,
    step_function: StepFunction = artificial.step,
    *,
    num_steps: int = NUM_STEPS,
    save_every: int = SAVE_EVERY,
) -> TrainState:
    return train_loop(
        step_function,
        artificial.first_state(),
        num_steps=num_steps,
        folder=folder,
        label="training",
        chance_loss=math.log(artificial.NUM_CLASSES),
        save_every=save_every,
    )


def cut_at(number: int) -> StepFunction:
    def step(state: TrainState, here: int, attempt: int) -> tuple[TrainState, Metrics]:
        if here == number:
            raise Cut
        return artificial.step(state, here, attempt)

    return step


def at(changes: dict[tuple[int, int], dict[str, float]]) -> StepFunction:
    """Other metrics at (number, attempt)."""

    def step(state: TrainState, number: int, attempt: int) -> tuple[TrainState, Metrics]:
        return artificial.step(state, number, attempt, **changes.get((number, attempt), {}))

    return step


def by_hand(attempts: list[int]) -> TrainState:
    """The state after steps of these attempts, without `train_loop`."""
    state = artificial.first_state()
    for number, attempt in enumerate(attempts):
        state, _ = artificial.step(state, number, attempt)
    return state


def assert_equal(actual: Any, expected: Any) -> None:
    """Bit for bit, and in structure."""
    jax.tree.map(np.testing.assert_array_equal, actual, expected)


def steps_of(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_is_its_steps(tmp_path: Path) -> None:
    assert_equal(train(tmp_path), by_hand([0] * NUM_STEPS))
    assert steps_of(tmp_path) == list(range(NUM_STEPS))
    first = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[0])
    assert first == {
        "step": 0,
        "loss": 1.0,
        "accuracy": 0.5,
        "gradient_norm": 1.0,
        "subnet_loss": 1.5,
        "subnet_accuracy": 0.25,
    }
    assert_equal(restore(tmp_path, artificial.first_state(), step=NUM_STEPS), by_hand([0] * NUM_STEPS))


@pytest.mark.parametrize("number", [0, 7, 40, 63, 89])
def test_a_cut_run_goes_on_with_the_same_numbers(tmp_path: Path, number: int) -> None:
    """Cut before the first check, at a checkpoint, after metrics that no checkpoint holds, at the end."""
    with pytest.raises(Cut):
        train(tmp_path / "cut", cut_at(number))
    seen: list[int] = []

    def step(state: TrainState, here: int, attempt: int) -> tuple[TrainState, Metrics]:
        seen.append(here)
        return artificial.step(state, here, attempt)

    assert_equal(train(tmp_path / "cut", step), by_hand([0] * NUM_STEPS))
    assert seen == list(range(number // SAVE_EVERY * SAVE_EVERY, NUM_STEPS))
    train(tmp_path / "uncut")
    cut, uncut = ((tmp_path / name / "metrics.jsonl").read_text() for name in ("cut", "uncut"))
    assert cut == uncut


def test_a_finished_run_runs_no_step(tmp_path: Path) -> None:
    state = train(tmp_path)
    assert_equal(train(tmp_path, cut_at(0)), state)
    assert steps_of(tmp_path) == list(range(NUM_STEPS))


DIVERGENCES = {
    "loss": {(63, 0): {"loss": float("nan")}},
    "gradient": {(63, 0): {"gradient_norm": float("inf")}},
    # At the last step before a checkpoint: the loss is still good, the parameters are not.
    "gradient at a checkpoint": {(79, 0): {"gradient_norm": float("nan")}},
    # The median of the 60 before is 0.63; three times that is 1.88, and more than 1.5 times guessing's.
    "jump": {(number, 0): {"loss": 1.9} for number in range(60, 80)},
}


@pytest.mark.parametrize("case", DIVERGENCES)
def test_a_divergence_is_rolled_back(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """From the checkpoint of step 40, the next attempt draws other batches."""
    state = train(tmp_path, at(DIVERGENCES[case]))
    assert_equal(state, by_hand([0] * 40 + [1] * 50))
    assert steps_of(tmp_path) == list(range(NUM_STEPS))
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text()
    assert "warning: the loss diverged at step 80: back to" in capsys.readouterr().err


def test_a_higher_loss_below_the_bound_is_none(tmp_path: Path) -> None:
    state = train(tmp_path, at({(number, 0): {"loss": 1.85} for number in range(60, 80)}))
    assert_equal(state, by_hand([0] * NUM_STEPS))


def test_the_attempt_is_kept_over_a_cut(tmp_path: Path) -> None:
    """And losses of the session before still say what is usual."""
    nan = {(5, 0): {"loss": float("nan")}}
    jump = {(number, 1): {"loss": 9.0} for number in range(40, 60)}
    changes = at({**nan, **jump})

    def step(state: TrainState, number: int, attempt: int) -> tuple[TrainState, Metrics]:
        if number == 45 and cut:
            raise Cut
        return changes(state, number, attempt)

    cut = True
    with pytest.raises(Cut):
        train(tmp_path, step)
    cut = False
    assert_equal(train(tmp_path, step), by_hand([1] * 40 + [2] * 50))


def test_a_run_that_diverges_again_and_again_ends(tmp_path: Path) -> None:
    always = at({(50, attempt): {"loss": float("nan")} for attempt in range(9)})
    message = "diverged at step 60, the 4th time; the last good checkpoint is kept.* smaller --learning-rate"
    with pytest.raises(UserError, match=message):
        train(tmp_path, always)
    assert_equal(restore(tmp_path, artificial.first_state(), step=40), by_hand([0] * 40))


def test_a_step_is_compiled_once(tmp_path: Path) -> None:
    """Though some arrays come from a checkpoint, bound to a device, and others do not."""
    state = artificial.first_state()
    state = state._replace(params=jax.device_put(state.params, jax.local_devices()[0]))

    @jax.jit
    def compiled(state: TrainState) -> TrainState:
        return jax.tree.map(lambda leaf: leaf + 1, state)

    def step(state: TrainState, number: int, attempt: int) -> tuple[TrainState, Metrics]:
        return compiled(state), artificial.step(state, number, attempt)[1]

    for num_steps in (3, 6):
        train_loop(
            step, state, num_steps=num_steps, folder=tmp_path, label="training", chance_loss=math.log(3)
        )
    assert compiled._cache_size() == 1


def test_a_killed_process_is_gone_on_with(tmp_path: Path) -> None:
    """Killed amid steps, lines and checkpoints, of which there is one every third step."""
    command = [sys.executable, artificial.__file__, str(tmp_path / "killed"), "100000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    log = tmp_path / "killed" / "metrics.jsonl"
    while not log.exists() or log.read_text().count("\n") < 50:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = steps_of(tmp_path / "killed")[-1]
    total = reached + 30
    state = train(tmp_path / "killed", num_steps=total)
    assert_equal(state, train(tmp_path / "uncut", num_steps=total))
    assert log.read_text() == (tmp_path / "uncut" / "metrics.jsonl").read_text()


SPACE = """
name: one stage
stages:
  - {stride: 1, depth: [1, 2], width: [4, 8]}
resolution: [4]
stem_width: 4
stem_stride: 1
head_min: 4
"""


@pytest.fixture
def quick_compiling() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.usefixtures("quick_compiling")
def test_a_cut_supernet_training_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "space.yaml").write_text(SPACE)
    ended: list[TrainState] = []

    def short_training(*args: Any, **options: Any) -> TrainState:
        ended.append(train_loop(*args, **options, save_every=10))
        return ended[-1]

    def main(name: str) -> None:
        config = Config(
            tmp_path / name,
            space=str(tmp_path / "space.yaml"),
            max_images=60,
            epochs=4,
            batch_size=8,
            random_subnets=1,
        )
        command.train_supernet(config)

    monkeypatch.setattr(command, "train_loop", short_training)
    # Compiled once for the three runs.
    monkeypatch.setattr(command, "augmented_step", compiled_once(command.augmented_step))
    main("uncut")
    with monkeypatch.context() as patch:
        patch.setattr(command, "step_key", cut_key(command.step_key, 17))
        with pytest.raises(Cut):
            main("cut")
    main("cut")
    uncut, cut = ended
    assert int(uncut.step) == 30
    assert_equal(cut, uncut)
    model, params = command.load_supernet(open_project(Workdir(tmp_path / "cut")))
    assert_equal(params, training.weights(model, uncut.ema))
    steps = [Workdir(tmp_path / name).step("supernet") for name in ("cut", "uncut")]
    assert steps[0].done()["summary"] == steps[1].done()["summary"]
    assert steps_of(steps[0].folder) == list(range(30))


def compiled_once(make: Callable[..., Any]) -> Callable[..., Any]:
    """`make`, of which every call but the first gives what the first has made."""
    made: list[Any] = []

    def make_once(*args: Any) -> Any:
        if not made:
            made.append(make(*args))
        return made[0]

    return make_once


def cut_key(step_key: Callable[..., Any], last: int) -> Callable[..., Any]:
    def key(seed: int, attempt: int, number: int) -> Any:
        if number == last:
            raise Cut
        return step_key(seed, attempt, number)

    return key


def test_a_checkpoint_of_other_arrays_is_named(tmp_path: Path) -> None:
    """As an older version wrote them, or with another number of parameters."""
    train(tmp_path, num_steps=1)
    first = artificial.first_state()
    for params in ({"other": np.zeros(4, np.float32)}, {"w": np.zeros(99, np.float32)}):
        with pytest.raises(UserError, match="its checkpoint is that of another network"):
            restore(tmp_path, first._replace(params=params), step=1)


@pytest.mark.parametrize("name", ["exp [1]", "a\\b", os.fsdecode(b"\xff"), "line\nbreak"])
def test_a_folder_of_any_name_will_do(tmp_path: Path, name: str) -> None:
    """For checkpoints, metrics and TensorBoard's events."""
    with pytest.raises(Cut):
        train(tmp_path / name, cut_at(63))
    assert_equal(train(tmp_path / name), by_hand([0] * NUM_STEPS))
    assert steps_of(tmp_path / name) == list(range(NUM_STEPS))
    assert list((tmp_path / name).glob("events.out.tfevents.*"))


def test_a_damaged_checkpoint_costs_the_steps_since_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, num_steps=80)
    (tmp_path / "checkpoints" / "80" / "default" / "_METADATA").write_text("{}")
    assert_equal(train(tmp_path), by_hand([0] * NUM_STEPS))
    assert capsys.readouterr().err == (
        f"warning: {tmp_path / 'checkpoints' / '80'}: its file default/_METADATA is damaged; "
        "going on from the checkpoint before it\n"
    )
    assert steps_of(tmp_path) == list(range(NUM_STEPS))


def test_what_a_finished_training_lacks_is_named_and_can_be_made_again(tmp_path: Path) -> None:
    """The remedy of the message, without its done mark, which is the step's."""
    state = train(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints" / str(NUM_STEPS))
    message = rf"checkpoints/{NUM_STEPS}: its file verified.json is missing.*delete .*done.json and make"
    with pytest.raises(UserError, match=message):
        restore(tmp_path, artificial.first_state(), step=NUM_STEPS)
    first: list[int] = []

    def step(state: TrainState, here: int, attempt: int) -> tuple[TrainState, Metrics]:
        first.append(here)
        return artificial.step(state, here, attempt)

    assert_equal(train(tmp_path, step), state)
    assert first[0] == 80
    assert_equal(restore(tmp_path, artificial.first_state(), step=NUM_STEPS), state)
