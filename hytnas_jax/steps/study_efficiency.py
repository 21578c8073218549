"""The efficiency study: measuring here, taking tables of other devices, reporting."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hytnas_jax import console
from hytnas_jax.devices import check_device_name
from hytnas_jax.efficiency.device_table import DeviceTable, read_device
from hytnas_jax.efficiency.hyperparameters import space_shares
from hytnas_jax.efficiency.measuring import measure_here
from hytnas_jax.efficiency.plan import STEP, Plan
from hytnas_jax.efficiency.report import network_headers, network_rows, remarks, write_results
from hytnas_jax.efficiency.results import Study
from hytnas_jax.format_names import check_formats
from hytnas_jax.space_file import load_space
from hytnas_jax.workdir import Step, Workdir, command_line, read_json, write_json
from supernet.errors import UserError
from supernet.spaces import space_from_mapping, space_to_mapping

if TYPE_CHECKING:
    from hytnas_jax.study_efficiency import Config

DEFAULTS = {"resolution": 224, "num_classes": 2, "channels": 3, "networks": 60, "seed": 0}
DEFAULT_SPACE = "hytnas-initial"
HERE = "here-"  # what the names of this machine's devices begin with


def study_efficiency(config: Config) -> None:
    """Measure what is missing, and report."""
    if "tflite" in config.runtimes:
        check_formats(("onnx", "tflite"))
    step = Workdir(config.workdir).step(STEP)
    plan = _plan(config, step)
    step.begin(plan.to_json())
    subjects = plan.subjects()
    identity, names = plan.identity, {subject.name for subject in subjects}
    added = [read_device(path, identity=identity, names=names) for path in config.measurements]
    for path, device in zip(config.measurements, added, strict=True):
        _keep(path, device, step)
    for runtime in config.runtimes:
        wanted = [s for s in subjects if s.runs_in(runtime) and s.part in config.parts]
        table = _table(step, HERE + runtime)
        table.parent.mkdir(parents=True, exist_ok=True)
        measure_here(wanted, table, identity=identity, runtime=runtime, seconds=config.seconds)
    tables = sorted((step.folder / "devices").glob("*.csv"))
    devices = [read_device(path, identity=identity, names=names) for path in tables]
    if not devices:
        console.say("nothing has been measured yet")
        console.wrote([], f"{command_line('device_kit', config.workdir)} --study --output kit")
        return
    _report(config, step, Study.of(plan, devices))


def _report(config: Config, step: Step, study: Study) -> None:
    predictors = study.predictors()
    for name, predictor in predictors.items():
        write_json(step.folder / "predictors" / f"{name}.json", predictor.to_json())
    with console.progress(0, "finding out which hyperparameters matter"):
        shares = space_shares(study.plan, predictors)
    paths = write_results(step.folder, study, shares, predictors)
    step.finish({"devices": [device.name for device in study.devices]})
    console.table(network_rows(study), network_headers(study))
    for remark in remarks(study, shares, predictors):
        console.say(remark)
    limit = f"{command_line('reduce_space', config.workdir)} --max-latency-ms MILLISECONDS"
    console.wrote(paths, limit)


def _plan(config: Config, step: Step) -> Plan:
    """What the flags say, else what the step was begun with, else the defaults."""
    path = step.folder / "settings.json"
    noted = read_json(path)["settings"] if path.exists() else {}
    values = {
        name: getattr(config, name) if getattr(config, name) is not None else noted.get(name, default)
        for name, default in DEFAULTS.items()
    }
    mapping = noted.get("space") if config.space is None else space_to_mapping(load_space(config.space))
    space = load_space(DEFAULT_SPACE) if mapping is None else space_from_mapping(mapping)
    return Plan(space=space, **values)


def _table(step: Step, device: str) -> Path:
    return step.folder / "devices" / f"{device}.csv"


def _keep(path: Path, device: DeviceTable, step: Step) -> None:
    """Copy a device's table into the study. Raises UserError for a name that cannot be taken."""
    check_device_name(device.name)
    if device.name.startswith(HERE):
        raise UserError(
            f"--measurements {path}: device {device.name!r} is called as this machine's are; measure with "
            "another --device"
        )
    place = _table(step, device.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(".tmp")
    shutil.copyfile(path, unfinished)
    unfinished.replace(place)
