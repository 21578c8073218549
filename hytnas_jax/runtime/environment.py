"""What a result was made with, noted in every done mark and every measurement."""

import contextlib
import functools
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    "hytnas_jax",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "numpy",
    "pillow",
    "pymoo",
    "xgboost",
    "scikit-learn",
    "onnx",
    "onnxruntime",
)


def environment() -> dict[str, Any]:
    """What a result was made with: Python, packages, platform, processor, accelerators, commit."""
    jax = sys.modules.get("jax")  # not imported here: it takes a second, not every step needs it
    return {
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "devices": [device.device_kind for device in jax.devices()] if jax else None,
        "commit": _commit(),
    }


@functools.cache
def package_version(package: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def cpu_model() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of the checkout that this package runs from; None where it is installed."""
    package = Path(__file__).parents[1]
    command = ["git", "-C", str(package), "rev-parse", "HEAD", "--show-prefix"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit, _, prefix = result.stdout.partition("\n")
    # A virtual environment inside some other checkout has another prefix.
    return commit if result.returncode == 0 and prefix.strip() == "hytnas_jax/" else None
