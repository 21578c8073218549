"""What study_efficiency leaves in its step of a work folder, read back.

W/efficiency/settings.json         the plan: the space, the kind of images
W/efficiency/predictors/NAME.json  the latency on the device NAME, as a predictor
"""

import dataclasses

from hytnas_jax.files.atomic import read_json
from hytnas_jax.study_efficiency.plan import Plan, open_plan
from hytnas_jax.workspace.workdir import Step, Workdir
from proxies.latency.predictor import MIN_NETWORKS, LatencyPredictor
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True)
class Studied:
    """A study that has ended. `devices`: where the latency of the space's networks is known."""

    step: Step
    plan: Plan
    devices: tuple[str, ...]

    def device(self, name: str | None) -> str:
        """The device called `name`, or the only one there is. Raises UserError with the names there are."""
        if name is None and len(self.devices) == 1:
            return self.devices[0]
        if name in self.devices:
            return name
        if not self.devices:
            raise UserError(
                f"{self.step.folder}: no device has measured {MIN_NETWORKS} networks of the space, which a "
                "predictor needs, so no latency can be limited; measure them (study_efficiency --parts "
                "space), or give another limit"
            )
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
    plan, step = open_plan(workdir)
    step.require("study_efficiency")
    predictors = (step.folder / "predictors").glob("*.json")
    return Studied(step, plan, tuple(sorted(path.stem for path in predictors)))
