"""What a process says as it ends at once: heard also while a thread has silenced standard error."""

import contextlib
import os

_heard = 2  # the descriptor that is written to


def keep() -> None:
    """Remember where standard error leads now. Called by every command before it reads anything.

    Decoding an image silences what libraries print: for that time descriptor 2 leads nowhere, in all threads.
    """
    global _heard
    if _heard == 2:
        with contextlib.suppress(OSError):  # it is closed
            _heard = os.dup(2)


def say(line: str) -> None:
    """Write a line, past all buffers: the interpreter may not come to empty them."""
    with contextlib.suppress(OSError):
        os.write(_heard, f"{line}\n".encode())
