"""What every command asks of the process before it computes. Does not import JAX: some import it later."""

import ctypes
import functools
import hashlib
import os
import platform
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from hytnas_jax import console
from hytnas_jax.runtime.environment import cpu_model, package_version
from supernet.errors import UserError

# Of mallopt(3): how much freed memory is kept, how many arrays come from the system one by one, and how many
# threads have a pool of their own.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LEAST_SECONDS = 0.2  # of compiling, for a program to be kept


# What JAX says of a kept program that a kill, or a full disk, has left half written. It would say so, and
# compile, at each start: it does not write over what is there.
_DAMAGED = re.compile(r"Error (?:read|writ)ing persistent compilation cache entry for '(\w+)'")


def prepare_process() -> None:
    """Called once by every command."""
    keep_memory()
    keep_compiled_programs()
    show_warnings_in_a_line()


def prepare_worker(workdir: Path, folder: Path) -> None:
    """Called before each job by a process that is a worker: it has memory and compiled programs of its own to
    keep. `folder` is where the job writes, in the work folder.

    Raises UserError where the folder is not seen from here.
    """
    _prepare_once()
    if not folder.is_dir():
        raise UserError(
            f"--workdir {workdir}: on {platform.node()} there is no such folder; a cluster needs the work "
            "folder on a file system that all its machines share, at the same path"
        )


@functools.cache
def _prepare_once() -> None:
    prepare_process()


def keep_memory() -> None:
    """Memory that was freed stays with the process, where glibc manages it (Linux).

    It would go back to the system after every large array and be cleared, page by page, for the next one:
    half of the time of a training step on a CPU.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1)):
            library.mallopt(option, value)


def keep_compiled_programs() -> None:
    """Compiled programs are kept in the user's cache folder, so that a second start does not compile.

    The environment variable HYTNAS_JAX_CACHE names another folder, or turns it off: "off". JAX's own
    setting, JAX_COMPILATION_CACHE_DIR, goes before it. Processes started by this one keep them there too.
    """
    folder = cache_folder()
    if folder is None or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    reason = _unusable(folder)
    if reason is not None:
        console.warn(
            f"{folder}: compiled programs cannot be kept there ({reason}), so every start compiles anew; "
            "name another folder in the environment variable HYTNAS_JAX_CACHE"
        )
        return
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": _LEAST_SECONDS,
    }
    for name, value in settings.items():  # for a JAX that is imported from here on, and for one that is here
        os.environ[name.upper()] = str(value)
        if jax := sys.modules.get("jax"):
            jax.config.update(name, value)


def show_warnings_in_a_line() -> None:
    """Warnings are for the user: one line each, as `console.warn` has it, without a file and its code."""
    warnings.showwarning = _show


def _show(message: Warning | str, *about: Any, **more: Any) -> None:
    text = " ".join(str(message).split())
    damaged = _DAMAGED.match(text)
    if damaged is not None:
        _remove_kept(damaged[1])
        text = f"a compiled program that was kept is of no use and is made anew ({text})"
    console.warn(text)


def _remove_kept(name: str) -> None:
    """The kept programs of this name."""
    folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR", ""))
    for path in folder.glob(f"{name}-*"):
        path.unlink(missing_ok=True)


def _unusable(folder: Path) -> str | None:
    """Why compiled programs cannot be kept in a folder, which is made; None where they can."""
    try:
        str(folder).encode()  # XLA takes text only
        folder.mkdir(parents=True, exist_ok=True)
    except UnicodeEncodeError:
        return "its path is not UTF-8"
    except OSError as error:
        return str(error.strerror)
    return None if os.access(folder, os.W_OK | os.X_OK) else "it may not be written"


def cache_folder() -> Path | None:
    """Where compiled programs are kept: one folder for each version of JAX and each processor."""
    chosen = os.environ.get("HYTNAS_JAX_CACHE", "")
    if chosen.lower() in ("off", "0"):
        return None
    root = Path(chosen).expanduser() if chosen else _user_cache() / "hytnas_jax"
    machine = hashlib.sha256(f"{platform.machine()} {cpu_model()}".encode()).hexdigest()[:8]
    return root / f"jax-{package_version('jax')}-{machine}"


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
