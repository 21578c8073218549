"""A training without a network: what `train` must make of it is known. As a program, it trains slowly.

python artificial.py FOLDER NUM_STEPS
"""

import math
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from hytnas_jax.training.loop import train_loop
from supernet.training import Metrics, TrainState

NUM_CLASSES = 3


def first_state() -> TrainState:
    def array() -> dict:
        return {"w": jnp.ones(4)}

    return TrainState(jnp.zeros((), jnp.int32), array(), array(), {"count": jnp.zeros((), jnp.int32)})


def step(
    state: TrainState,
    number: int,
    attempt: int,
    *,
    loss: float | None = None,
    gradient_norm: float = 1.0,
) -> tuple[TrainState, Metrics]:
    """The parameters remember every number and attempt, in their order."""
    noise = np.random.default_rng([number, attempt]).standard_normal(4).astype(np.float32)
    w = 0.9 * state.params["w"] + noise
    ema = 0.5 * state.ema["w"] + 0.5 * w
    after = TrainState(state.step + 1, {"w": w}, {"w": ema}, {"count": state.optimizer["count"] + 1})
    loss = 1.0 / (1.0 + number / 50.0) if loss is None else loss
    losses = np.array([loss, 1.5 * loss], np.float32)
    return after, Metrics(losses, 1.0 - losses / 2, np.float32(gradient_norm))


def slow_step(state: TrainState, number: int, attempt: int) -> tuple[TrainState, Metrics]:
    time.sleep(0.005)
    return step(state, number, attempt)


if __name__ == "__main__":
    train_loop(
        slow_step,
        first_state(),
        num_steps=int(sys.argv[2]),
        folder=Path(sys.argv[1]),
        label="training",
        chance_loss=math.log(NUM_CLASSES),
        save_every=3,
    )
