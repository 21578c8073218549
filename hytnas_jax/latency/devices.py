"""The devices whose latency and energy a work folder can predict, beside the machine that it is on.

Each is a step of its own, `devices/NAME`, which fit_latency makes from what a kit has measured there.
"""

from hytnas_jax.shared_flags.device_names import check_device_name
from hytnas_jax.workspace.workdir import Step, Workdir


def device_step(workdir: Workdir, name: str) -> Step:
    """The step of a device. Raises UserError for a name that can be no folder's."""
    check_device_name(name)
    return workdir.step(f"devices/{name}")


def device_names(workdir: Workdir) -> list[str]:
    """The devices that there are, in the order of their names."""
    return sorted(path.parent.name for path in (workdir.path / "devices").glob("*/done.json"))
