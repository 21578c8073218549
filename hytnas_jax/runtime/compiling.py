"""How long this process has been compiling: time that says nothing about the speed of what follows."""

import functools
import time
from typing import Any

import jax

EVENTS = "/jax/core/compile/"  # JAX's own: tracing, lowering, compiling or reading a kept program


class Stopwatch:
    """Adds up spans of time, of which an inner one ends before the one around it and is part of it."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float]] = []

    def __call__(self, event: str, duration_secs: float, **_: Any) -> None:
        """A span of so many seconds has just ended; called by `jax.monitoring`."""
        if not event.startswith(EVENTS):
            return
        end = time.monotonic()
        start = end - duration_secs
        while self._spans and self._spans[-1][0] >= start:
            self._spans.pop()
        self._spans.append((start, end))

    @property
    def seconds(self) -> float:
        """All that there have been, none of them counted twice."""
        return sum(end - start for start, end in self._spans)


def seconds() -> float:
    """Of compiling in this process, since the first call."""
    return _stopwatch().seconds


@functools.cache
def _stopwatch() -> Stopwatch:
    stopwatch = Stopwatch()
    jax.monitoring.register_event_duration_secs_listener(stopwatch)
    return stopwatch
