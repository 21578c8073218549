"""Which of the processes of a job this is, and what they tell one another. Imports no JAX.

All processes of a job run the same command. The lead, process 0, writes files and talks; what depends on a
file or on a clock it finds out alone and tells the others, so that all take the same way. In a job of one
process all of this does nothing.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

ValueT = TypeVar("ValueT")

LOST = os.EX_TEMPFAIL  # the status where another process was lost: the same command goes on


class Channel(Protocol):
    """How the processes of a job reach one another (`runtime/channel.py`)."""

    def wait(self, name: str) -> None:
        """Until all processes have come to the place of that name."""

    def tell(self, name: str, text: str) -> None:
        """Say something to all; the first word under a name counts."""

    def hear(self, name: str) -> str:
        """What was said under a name; waits for it."""

    def heard(self, folder: str) -> list[str]:
        """What has been said so far under names of a folder; does not wait."""

    def leave(self) -> None:
        """All have ended well: part in order."""

    def abandon(self, status: int) -> None:
        """This process ends with a status: the others are to end with it, at once."""


@dataclasses.dataclass
class _State:
    """Of this process. alone: how many sections are open in which each process acts by itself; places: how
    many common places have been passed, which is the same number in all."""

    process: int = 0
    processes: int = 1
    channel: Channel | None = None
    alone: int = 0
    places: int = 0


_state = _State()


def become(process: int, processes: int, channel: Channel) -> None:
    """Become one of the processes of a job, for good."""
    global _state
    _state = _State(process, processes, channel)


def is_lead() -> bool:
    """Whether this process writes files and talks: the lead does, and a process that is alone."""
    return _state.process == 0


def size() -> int:
    """How many processes the job has."""
    return _state.processes


def in_words() -> str:
    """ "process 1 of 4"; "" where there is one."""
    return f"process {_state.process} of {_state.processes}" if _state.processes > 1 else ""


def acts_alone() -> bool:
    """Whether this is one process of several that now does something by itself: what all have to do together
    would wait for ever."""
    return _state.processes > 1 and _state.alone > 0


def together(name: str) -> None:
    """Wait until all processes have come here."""
    if (channel := _open_channel()) is not None:
        channel.wait(_place(name))


def of_lead(name: str, find: Callable[[], ValueT]) -> ValueT:
    """What `find` gives in the lead, in all processes; it can be written as JSON.

    Inside of `find` the lead acts alone: nothing in it may need the other processes.
    """
    channel = _open_channel()
    if channel is None:
        return find()
    place = _place(name)
    if not is_lead():
        found: ValueT = json.loads(channel.hear(place))
        return found
    with _alone():
        value = find()
    channel.tell(place, json.dumps(value))
    return value


@contextlib.contextmanager
def lead_first(name: str) -> Iterator[None]:
    """What is inside the lead does first, and then the others, who find the files that it has written.

    It goes on when all have done it. Inside, each process acts alone.
    """
    channel = _open_channel()
    if channel is None:
        yield
        return
    if not is_lead():
        channel.wait(_place(name))
    with _alone():
        yield
    if is_lead():
        channel.wait(_place(name))
    channel.wait(_place(f"{name}, all"))


def signal_of_any(own: int | None) -> int | None:
    """The signal that any process has got so far, the same in all; `own` is this one's. One process: None.

    What others have got the lead may hear one call later.
    """
    channel = _open_channel()
    if channel is None:
        return None
    if own is not None and not is_lead():
        channel.tell(f"signals/{_state.process}", str(own))
    return of_lead("signal", lambda: own or next(map(int, channel.heard("signals")), None))


def leave() -> None:
    """The command has ended well in this process: wait for the others, and part in order."""
    if _state.channel is not None:
        _state.channel.leave()


def abandon(status: int) -> None:
    """This process is about to end with a status: end the others with it, which would wait for it."""
    if _state.channel is not None:
        _state.channel.abandon(status)


def _open_channel() -> Channel | None:
    """None where nobody else is to be waited for."""
    return None if _state.alone else _state.channel


def _place(name: str) -> str:
    _state.places += 1
    return f"{_state.places} {name}"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    _state.alone += 1
    try:
        yield
    finally:
        _state.alone -= 1
