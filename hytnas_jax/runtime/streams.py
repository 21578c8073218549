"""Standard streams that are closed (`2>&-`, some services) lead nowhere, not into the next file opened."""

import os
import sys


def open_closed() -> None:
    """Called before any file is opened: the next one would get the number of a closed stream, and with it
    whatever libraries print there."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(number, True)  # workers need it, too
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115
