"""The devices whose latency and energy a work folder can predict, beside the machine that it is on.

Each is a step of its own, `devices/NAME`, which fit_latency makes from what a kit has measured there.
"""

from pathlib import Path
from typing import Any

from hytnas_jax.shared_flags.device_names import check_device_name
from hytnas_jax.workspace.workdir import Step, Workdir
from supernet.errors import UserError


def device_step(workdir: Workdir, name: str) -> Step:
    """The step of a device. Raises UserError for a name that can be no folder's."""
    check_device_name(name)
    return workdir.step(f"devices/{name}")


def device_names(workdir: Workdir) -> list[str]:
    """The devices that there are, in the order of their names."""
    return _names(workdir.path / "devices")


def require_latency(step: Step) -> dict[str, Any]:
    """The done mark of the step that knows a latency: this machine's, or a device's.

    Raises:
      UserError: it has not ended; the message says what makes it, and which devices there are.
    """
    if "/" not in step.name:
        return step.require("measure_latency")
    name = step.folder.name
    try:
        return step.require("fit_latency", f" --device {name} --measurements FILE")
    except UserError as error:
        known = ", ".join(_names(step.folder.parent))
        raise UserError(f"{error}\ndevices that are known: {known or 'none yet'}") from None


def _names(devices: Path) -> list[str]:
    return sorted(path.parent.name for path in devices.glob("*/done.json"))
