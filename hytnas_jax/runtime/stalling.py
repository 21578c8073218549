"""Ends a process of a job whose training goes no further, though no process has ended.

A process that is alone is never ended: somebody who looks at it sees that it stands still.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

from hytnas_jax.runtime import last_words, process_group

USUAL_MINUTES = 30.0

_minutes = USUAL_MINUTES


def allow(minutes: float) -> None:
    """So many minutes may pass between two looks at the losses; for the command of this process."""
    global _minutes
    _minutes = minutes


@contextlib.contextmanager
def watched() -> Iterator[Callable[[], None]]:
    """Gives `going_on`, which is to be called each time that something has been done."""
    if process_group.size() == 1:
        yield lambda: None
        return
    done, ended = threading.Event(), threading.Event()

    def watch() -> None:
        while done.wait(60 * _minutes):
            done.clear()
            if ended.is_set():
                return
        _end()

    thread = threading.Thread(target=watch, name="stalling", daemon=True)
    thread.start()
    try:
        yield done.set
    finally:
        ended.set()
        done.set()
        thread.join()


def _end() -> None:
    line = (
        f"error: {process_group.in_words()}: the training has gone no further for {_minutes:g} minutes "
        "(--stall-minutes); the job ends, and the same command goes on from the last checkpoint"
    )
    last_words.say(line)
    process_group.abandon(process_group.LOST)
    os._exit(process_group.LOST)
