"""Seconds of compiling: nested spans once, JAX's own events."""

import time

import jax
import jax.numpy as jnp
import pytest

from hytnas_jax.runtime import compiling
from hytnas_jax.runtime.compiling import EVENTS, Stopwatch


def test_an_inner_span_is_part_of_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stopwatch = Stopwatch()
    for now, seconds in ((10.0, 2.0), (18.0, 3.0), (30.0, 1.0), (31.0, 12.0), (40.0, 4.0)):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        stopwatch(f"{EVENTS}jaxpr_trace_duration", seconds, fun_name="step")
    stopwatch("/jax/checkpoint/write_duration", 100.0)
    assert stopwatch.seconds == 2.0 + 3.0 + 12.0 + 4.0  # the one of 1.0 lies within that of 12.0


def test_jax_tells_of_its_compiling() -> None:
    before, started = compiling.seconds(), time.monotonic()

    @jax.jit
    def chain(x: jax.Array) -> jax.Array:
        for n in range(50):
            x = jnp.sin(x @ x) + n
        return x

    chain(jnp.ones((8, 8))).block_until_ready()
    first = compiling.seconds()
    assert 0.5 * (time.monotonic() - started) < first - before <= time.monotonic() - started
    chain(jnp.ones((8, 8))).block_until_ready()
    assert compiling.seconds() == first
