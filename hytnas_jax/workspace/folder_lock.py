"""The lock of a work folder: one process works in it, or several read; the system lets go when they end."""

import contextlib
import errno
import fcntl
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from supernet.errors import UserError

# The lock files that this process holds: (device, inode) -> descriptor.
_held: dict[tuple[int, int], int] = {}


def take(path: Path) -> None:
    """Take the lock file for this process until it ends. Raises UserError where another process has it."""
    if _is_held(path):
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.write(descriptor, mark().encode())
    _held[_identity(os.fstat(descriptor))] = descriptor


def mark() -> str:
    """What this process writes into a lock file that it takes. It cannot read it there: closing the file
    would let go of it."""
    return f"process {os.getpid()} on {platform.node()}\n"


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Take the lock file for the moment, with others that read; nothing is written. UserError as in `take`.

    Not where this process has it anyway: closing the file would let go of it.
    """
    if _is_held(path) or not path.exists():
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _lock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> None:
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        holder = os.read(descriptor, 200).decode(errors="replace").strip()
        raise UserError(
            f"another process is using it ({holder}); wait for it to end, stop it, or give another folder"
        ) from None


def _is_held(path: Path) -> bool:
    return path.exists() and _identity(path.stat()) in _held


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
