"""What the hardware at hand is good at, and what a command asks of it before it computes."""

import ctypes
import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from hytnas_jax.environment import cpu_model

CACHE_VARIABLE = "HYTNAS_JAX_CACHE"

# Of mallopt(3): the size from which memory comes from the system and goes back to it, and how much is kept.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def compute_dtype() -> Any:
    """What activations are computed in: bfloat16 where the hardware multiplies it fast, else float32."""
    return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16


def prepare() -> None:
    """Called once by every command, before it computes."""
    keep_memory()
    keep_compiled_programs()


def keep_memory() -> None:
    """Memory that was freed stays with the process, where glibc manages it (Linux).

    It would go back to the system after every large array and be cleared, page by page, for the next one:
    half of the time of a training step on a CPU.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_ARENA_MAX, 1)):
            library.mallopt(option, value)


def keep_compiled_programs() -> None:
    """Compiled programs are kept in the user's cache folder, so that a second start does not compile.

    The environment variable HYTNAS_JAX_CACHE names another folder, or turns it off: "off". JAX's own
    setting, JAX_COMPILATION_CACHE_DIR, goes before it.
    """
    folder = cache_folder()
    if folder is None or getattr(jax.config, "jax_compilation_cache_dir", None):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def cache_folder() -> Path | None:
    """Where compiled programs are kept: one folder for each version of JAX and each processor."""
    chosen = os.environ.get(CACHE_VARIABLE, "")
    if chosen.lower() in ("off", "0"):
        return None
    root = Path(chosen).expanduser() if chosen else _user_cache() / "hytnas_jax"
    machine = hashlib.sha256(f"{platform.machine()} {cpu_model()}".encode()).hexdigest()[:8]
    return root / f"jax-{jax.__version__}-{machine}"


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
