"""The efficiency study: measuring here, taking tables of other devices, reporting."""

from collections.abc import Collection, Sequence
from pathlib import Path

from hytnas_jax import console
from hytnas_jax.files.atomic import read_json, write_bytes, write_json
from hytnas_jax.shared_flags.device_names import check_device_name
from hytnas_jax.shared_flags.format_names import check_runtimes
from hytnas_jax.study_efficiency.config import Config
from hytnas_jax.study_efficiency.device_table import read_device
from hytnas_jax.study_efficiency.hyperparameters import space_shares
from hytnas_jax.study_efficiency.measuring import measure_here
from hytnas_jax.study_efficiency.plan import STEP, Plan
from hytnas_jax.study_efficiency.report import network_headers, network_rows, remarks, write_results
from hytnas_jax.study_efficiency.results import EfficiencyStudy
from hytnas_jax.workspace.space_file import load_space
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from supernet.errors import UserError
from supernet.spaces import space_from_mapping, space_to_mapping

DEFAULTS = {"resolution": 224, "num_classes": 2, "channels": 3, "networks": 60, "seed": 0}
DEFAULT_SPACE = "hytnas-initial"
HERE = "here-"  # what the names of this machine's devices begin with


def study_efficiency(config: Config) -> None:
    """Measure what is missing, and report."""
    check_runtimes("--runtimes", config.runtimes)
    step = Workdir(config.workdir).step(STEP)
    plan = _plan(config, step)
    subjects = plan.subjects()  # before the plan is noted: of an impossible one nothing is to remain
    step.begin(plan.to_json())
    identity, names = plan.identity, {subject.name for subject in subjects}
    _keep(config.measurements, step, identity=identity, names=names)
    for runtime in config.runtimes:
        table = _table(step, HERE + runtime)
        table.parent.mkdir(parents=True, exist_ok=True)
        measure_here(
            [subject for subject in subjects if subject.runs_in(runtime)],
            table,
            parts=config.parts,
            identity=identity,
            runtime=runtime,
            seconds=config.seconds,
        )
    devices = [read_device(path, identity=identity, names=names) for path in _tables(step)]
    if not devices:
        _remove_predictors(step, but=())
        console.say("nothing has been measured yet")
        console.wrote([], f"{command_line('device_kit', config.workdir)} --study --output kit")
        return
    _report(config, step, EfficiencyStudy.of(plan, devices))


def _report(config: Config, step: Step, study: EfficiencyStudy) -> None:
    predictors = study.predictors()
    _remove_predictors(step, but=predictors)
    for name, predictor in predictors.items():
        write_json(step.folder / "predictors" / f"{name}.json", predictor.to_json())
    with console.progress(0, "finding out which hyperparameters matter"):
        shares = space_shares(study.plan, predictors)
    said = remarks(study, shares, predictors)
    paths = write_results(step.folder, study, shares, predictors, said)
    step.finish({"devices": [device.name for device in study.devices]})
    console.table(network_rows(study), network_headers(study))
    for remark in said:
        console.say(remark)
    limit = "--max-latency-ms MILLISECONDS" if predictors else "--max-macs NUMBER"
    console.wrote(paths, f"{command_line('reduce_space', config.workdir)} {limit}")


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
    if not space.genes:
        raise UserError(f"--space {space.name}: is one network, without a choice; give a space that has some")
    return Plan(space=space, **values)


def _table(step: Step, device: str) -> Path:
    return step.folder / "devices" / f"{device}.csv"


def _tables(step: Step) -> list[Path]:
    """Of all devices that are kept."""
    return sorted((step.folder / "devices").glob("*.csv"))


def _remove_predictors(step: Step, *, but: Collection[str]) -> None:
    """Take away the predictors of devices that are no longer known, or no longer well enough."""
    for path in (step.folder / "predictors").glob("*.json"):
        if path.stem not in but:
            path.unlink()


def _keep(paths: Sequence[Path], step: Step, *, identity: str, names: Collection[str]) -> None:
    """Copy devices' tables into the study, all of them or none; a device's new table replaces its old one.

    Raises UserError for a table that cannot be read, or is of a device whose name another one has.
    """
    kept = {path.stem.casefold(): path for path in _tables(step)}
    added: dict[str, Path] = {}
    copies: dict[Path, Path] = {}
    for path in paths:
        device = read_device(path, identity=identity, names=names)
        check_device_name(device.name)
        key = device.name.casefold()  # some disks take "Pi" for "pi"
        if key.startswith(HERE):
            raise UserError(
                f"--measurements {path}: device {device.name!r} is called as this machine's are; measure "
                "with another --device"
            )
        before = added.get(key, kept.get(key))
        old = device if before is None else read_device(before, identity=identity, names=names)
        if key in added or (old.name, old.about) != (device.name, device.about):
            raise UserError(
                f"--measurements {path}: is of device {device.name!r} ({device.in_words}), and {before} of "
                f"{old.name!r} ({old.in_words}); a device has one table: measure the other one with another "
                "--device, or take one of both away"
            )
        added[key] = copies[_table(step, device.name)] = path
    for place, path in copies.items():
        write_bytes(place, path.read_bytes())
