"""Stopping a command: Ctrl-C and SIGTERM end it soon, with one line and without a traceback.

The main thread hears of it by an exception, so that bars, logs and workers end in order. It hears late while
it is in a long call (XLA compiles for minutes), and other libraries may lose the exception. So a thread hears
of the signal too, and ends the process after `GRACE` seconds or at a second signal. Nothing finished is lost
by that: every file is whole at any time.
"""

import contextlib
import dataclasses
import enum
import functools
import logging
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

from hytnas_jax.runtime import last_words, process_group

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 5.0  # seconds that the main thread has to end in order
GRACE_TOGETHER = 120.0  # that it has where several processes stop at the same step
SAME = 0.3  # seconds in which a second signal is the first one, sent twice (to the process and to its group)
MESSAGE = "stopped; the same command again goes on from here"


class Stopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM has come."""


class _Phase(enum.Enum):
    """What a signal does: end the process at once, raise `Stopped`, or nothing."""

    STARTING, RUNNING, OVER = range(3)


@dataclasses.dataclass
class _State:
    """Of this process. asked: the signal that has come; is_told: whether `Stopped` was raised for it; held:
    how many sections are open in which it is not raised; grace: as `GRACE`, here and now."""

    phase: _Phase = _Phase.OVER
    asked: int | None = None
    is_told: bool = False
    held: int = 0
    grace: float | None = None


_state = _State()
_saving = threading.RLock()  # held while something is saved, and by who ends the process


def start() -> None:
    """Called as soon as a command's process runs code of ours: until `run`, a signal ends it at once."""
    _listen(_Phase.STARTING)


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Inside, a signal raises `Stopped` in the main thread; afterwards signals are ignored."""
    _listen(_Phase.RUNNING)
    try:
        yield
    finally:
        _state.phase = _Phase.OVER
        for number in SIGNALS:  # the interpreter's end would give each its default, which is to kill
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """What is inside is not cut by a signal, which is heard after it: for writing that takes a moment."""
    with _saving:
        _state.held += 1
        try:
            yield
        finally:
            _state.held -= 1
    _tell_what_was_held()


@contextlib.contextmanager
def asked_for() -> Iterator[None]:
    """What is inside asks for `signal_so_far` itself, and then calls `stop`: several processes have to stop
    at the same place. It has `GRACE_TOGETHER` seconds."""
    _state.held += 1
    _state.grace = GRACE_TOGETHER
    try:
        yield
    finally:
        _state.held -= 1
        _state.grace = None
    _tell_what_was_held()


def signal_so_far() -> int | None:
    """The signal that has come, if one has."""
    return _state.asked


def stop(number: int) -> NoReturn:
    """End as if this process had got the signal, which perhaps another one of its job has got."""
    _state.asked = number
    _tell()


def was_asked() -> bool:
    """Whether a signal has come: an error after it is a consequence."""
    return _state.asked is not None


def end() -> NoReturn:
    """Say so, and end this process and its workers now, without the interpreter's own end.

    That waits for threads of other libraries, prints what they raise, and crashes while XLA computes.
    """
    _saving.acquire()  # for good: the main thread and the one that watches may both get here; one says so
    _state.phase = _Phase.OVER
    number = _state.asked or signal.SIGINT
    for worker in multiprocessing.active_children():
        worker.kill()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        if sys.stdout.isatty():
            os.write(1, b"\x1b[?25h\n")  # the cursor, which a bar hides
    if process_group.is_lead():
        last_words.say(MESSAGE)
    process_group.abandon(128 + number)
    os._exit(128 + number)


def _listen(phase: _Phase) -> None:
    global _state
    _state = _State(phase)
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # a shell starts its background jobs so
            signal.signal(number, _heard)
    _start_watching()


def _heard(number: int, frame: FrameType | None) -> None:
    """In the main thread."""
    if _state.phase is _Phase.OVER:
        return
    _state.asked = _state.asked or number
    if _state.phase is _Phase.STARTING:
        end()
    if not _state.held and not _state.is_told:
        _tell()


def _tell_what_was_held() -> None:
    if was_asked() and not _state.is_told and not _state.held:
        _tell()


def _tell() -> NoReturn:
    _state.is_told = True
    logging.disable()  # what other libraries say of their own end
    sys.unraisablehook = threading.excepthook = _say_nothing
    raise Stopped


def _say_nothing(problem: Any) -> None:
    """Instead of a traceback."""


@functools.cache
def _start_watching() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), name="stopping", daemon=True).start()


def _watch(reader: int) -> None:
    """In a thread of its own: gets the number of each signal as a byte."""
    while True:
        number = os.read(reader, 1)[0]
        if number not in SIGNALS or _state.phase is _Phase.OVER:
            continue
        time.sleep(SAME)
        while select.select([reader], [], [], 0)[0]:
            os.read(reader, 1)
        select.select([reader], [], [], GRACE if _state.grace is None else _state.grace)
        with _saving:
            if _state.phase is not _Phase.OVER:
                _state.asked = _state.asked or number
                end()
