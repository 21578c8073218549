"""What study_efficiency leaves in its step of a work folder, read back.

W/efficiency/settings.json         the space, and the classes and colour channels of its networks
W/efficiency/predictors/NAME.json  the latency on the device NAME, as a predictor
"""

import dataclasses

from hytnas_jax.workdir import Step, Workdir, read_json
from proxies.latency import LatencyPredictor
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.spaces import space_from_mapping

STEP = "efficiency"


@dataclasses.dataclass(frozen=True)
class Studied:
    """A space whose networks were measured on devices, which `devices` names."""

    step: Step
    space: SearchSpace
    num_classes: int
    channels: int
    devices: tuple[str, ...]

    def to_spec(self, architecture: Architecture) -> NetworkSpec:
        """The stand-alone network of an architecture as it was measured."""
        return self.space.network_spec(architecture, num_classes=self.num_classes, channels=self.channels)

    def device(self, name: str | None) -> str:
        """The device called `name`, or the only one there is. Raises UserError with the names there are."""
        if name is None and len(self.devices) == 1:
            return self.devices[0]
        if name in self.devices:
            return name
        if not self.devices:
            raise UserError(f"{self.step.folder}: no device has been measured, so no latency can be limited")
        given = "is needed" if name is None else f"{name}: is none of those measured"
        raise UserError(f"--device {given}; give one of {', '.join(self.devices)}")

    def predictor(self, device: str) -> LatencyPredictor:
        """The latency on one of `devices`. Raises UserError for a damaged file."""
        path = self.step.folder / "predictors" / f"{device}.json"
        try:
            return LatencyPredictor.from_json(read_json(path))
        except UserError as error:
            raise UserError(f"{path}: {error}") from None


def read_studied(workdir: Workdir) -> Studied:
    """What has been studied in a work folder. Raises UserError where `study_efficiency` has not ended."""
    step = workdir.step(STEP)
    step.require("study_efficiency")
    settings = read_json(step.folder / "settings.json")["settings"]
    return Studied(
        step,
        space_from_mapping(settings["space"]),
        settings["num_classes"],
        settings["channels"],
        tuple(sorted(path.stem for path in (step.folder / "predictors").glob("*.json"))),
    )
