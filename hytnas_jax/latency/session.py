"""Measuring what is missing beside a few measured before, by which a shift of the machine shows."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from hytnas_jax.on_device.measure import Timing, time_models, to_check

Key = TypeVar("Key", bound=Hashable)
SECONDS = 0.5  # for each model


def time_beside(
    before: Mapping[Key, float],
    missing: Sequence[Key],
    build: Callable[[Key], bytes],
    on_new: Callable[[Key, Timing], None],
    *,
    on_round: Callable[[int], None] | None = None,
    seconds: float = SECONDS,
) -> dict[Key, Timing]:
    """Time what is missing, in the same rounds as a few of what was measured before.

    Args:
      before: milliseconds of what was measured in earlier sessions.
      missing: what is to be timed.
      build: the serialised model of a key.
      on_new: called with each of the missing ones, as soon as it is timed.
      on_round: called with the number of each round, from 1.
      seconds: for each model.

    Returns:
      What those of before take now; `on_device.measure.shift` compares them. Empty where nothing is missing.
    """
    again = to_check(before) if missing else []
    queue = [*again, *missing]
    now: dict[Key, Timing] = {}
    for index, timing in time_models(map(build, queue), seconds=seconds, on_round=on_round):
        if index < len(again):
            now[queue[index]] = timing
        else:
            on_new(queue[index], timing)
    return now


def milliseconds(timings: Mapping[Key, Timing]) -> dict[Key, float]:
    """The times alone."""
    return {key: timing.latency_ms for key, timing in timings.items()}
