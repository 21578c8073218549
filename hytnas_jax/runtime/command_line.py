"""From a command line to a config, and from an error to a message and an exit status.

A command is a folder. Its `config.py` has a frozen dataclass `Config`, whose fields are its flags and whose
field docstrings are its help, and `check(config)`. Its `command.py` does the work; `main(config)` imports it
once the flags are right: JAX and the like take seconds, which neither help nor a wrong flag must wait for.
"""

import dataclasses
import errno
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar, runtime_checkable

import tyro

from hytnas_jax.runtime import last_words, launch, process_group, stalling, stopping
from hytnas_jax.runtime.preparation import prepare_process
from supernet.errors import UserError, first_line

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)
# What JAX says where a process of the job does not answer any more, by whatever it has asked it.
_SAYS_LOST = re.compile(
    r"Gloo|NCCL|UNAVAILABLE|coordination service|heartbeat|Connection (?:reset|closed)", re.IGNORECASE
)


class Config(Protocol):
    """What every command's config is: a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


ConfigT = TypeVar("ConfigT", bound=Config)


def run(
    main: Callable[[ConfigT], None],
    config_type: type[ConfigT],
    argv: Sequence[str] | None = None,
    *,
    program: str | None = None,
    description: str | None = None,
) -> NoReturn:
    """Parse the flags, run the command, and exit with its status.

    | status | meaning |
    |---|---|
    | 0 | done |
    | 1 | a bug of ours, with its traceback |
    | 2 | the user's to fix: a flag, a file, a full disk, too little memory |
    | 75 | another process of the job was lost; the same command goes on |
    | 130, 143 | stopped by Ctrl-C, by SIGTERM; the same command goes on |

    Of a job of several processes all end with the status of the first that ends with another one than 0. A
    command whose config has `hosts` and `stall_minutes` is made for such jobs.

    Args:
      main: the command.
      config_type: frozen dataclass; each field's docstring is its flag's help.
      argv: the flags; those of the command line if None.
      program: the command as the help shows it; as the user has typed it if None.
      description: what the help says of the command; the docstring of `config_type` if None.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA's alarm about a slow compilation is no error
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a "?" in an ASCII-only log, not the end of the run
            stream.reconfigure(errors="replace")
    last_words.keep()
    with stopping.raising():
        try:
            config = tyro.cli(config_type, prog=program or _program(), description=description, args=argv)
            _check_processes(config)
            prepare_process()
            main(config)
            process_group.leave()
        except KeyboardInterrupt:
            stopping.end()
        except Exception as error:
            _exit_for(error)
    sys.exit(0)


@runtime_checkable
class _ForMany(Protocol):
    """The flags of a command that several processes of a job may run together."""

    @property
    def hosts(self) -> int | None: ...

    @property
    def stall_minutes(self) -> float: ...


def _check_processes(config: Config) -> None:
    """Raises UserError where the job has another number of processes than its command is made or told for."""
    found = launch.detect()
    if isinstance(config, _ForMany):
        launch.require_processes(config.hosts, found)
        stalling.allow(config.stall_minutes)
    else:
        launch.require_one(found)


def _exit_for(error: Exception) -> NoReturn:
    if stopping.was_asked():
        stopping.end()
    if isinstance(error, BrokenPipeError):
        # The reader of our output (`| head`) has gone; Python must not write to it at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(128 + signal.SIGPIPE)
    message = explain(error)
    if message is not None:
        _exit(f"error: {message}", 2)
    if process_group.size() > 1 and _SAYS_LOST.search(str(error)):
        _exit(
            f"error: another process of this job was lost ({first_line(error)}); the same command "
            "goes on from the last checkpoint",
            process_group.LOST,
        )
    traceback.print_exception(error)
    _exit("error: this is a bug in hytnas_jax; please report it with all of these lines", 1)


def explain(error: Exception) -> str | None:
    """What the user can do about an error; None where it is a bug of ours."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, Warning):
        text = " ".join(str(error).split())
        return f"{text} (a warning, at which Python was told to end: -W error, PYTHONWARNINGS)"
    text = str(error) or "of this computer"
    number = getattr(error, "errno", None)
    # Orbax's and XLA's errors carry the cause in their text only.
    if number in DISK_FULL or os.strerror(errno.ENOSPC) in text:
        return (
            f"the disk is full: {_file_of(error)}; nothing finished is lost: "
            "free some space, and the same command again goes on"
        )
    if number in NOT_ALLOWED:
        return (
            f"{_file_of(error)}: {os.strerror(number)}; "
            "give a path that you may read and write, or change its permissions"
        )
    if number in IN_THE_WAY:
        return f"{_file_of(error)}: a file is in the way of a folder; give another path, or move it away"
    if number == errno.ENAMETOOLONG:
        return f"{_file_of(error)}: this path is too long for the system; give a --workdir with a shorter one"
    if isinstance(error, MemoryError) or text.startswith("RESOURCE_EXHAUSTED"):
        return (
            f"not enough memory ({text.splitlines()[0]}); nothing "
            "finished is lost: give smaller batches or end other programs; then the same command goes on"
        )
    return None


def _file_of(error: Exception) -> str:
    name = getattr(error, "filename", None)
    return str(name) if name is not None else first_line(error)


def _program() -> str:
    """The command as the user types it."""
    spec = sys.modules["__main__"].__spec__
    if spec:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    script = Path(sys.argv[0])
    is_installed = script.is_file() and script.suffix != ".py"
    return script.name if is_installed else f"python {script}"


def _exit(message: str, status: int) -> NoReturn:
    which = f"{process_group.in_words()}: " if process_group.in_words() else ""
    print(f"{which}{message}", file=sys.stderr, flush=True)
    _leave(status)


def _leave(status: int) -> NoReturn:
    if process_group.size() > 1:  # the interpreter's end would wait for the others
        process_group.abandon(status)
        os._exit(status)
    sys.exit(status)
