"""Making a kit: which models go into it."""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from hytnas_jax import console
from hytnas_jax.device_kit.config import Config
from hytnas_jax.latency.kit import RUNTIMES, write_kit
from hytnas_jax.latency.kit_table import FRONT, SAMPLE
from hytnas_jax.latency.sample import draw_networks
from hytnas_jax.search.results import load_pareto
from hytnas_jax.study_efficiency.plan import open_plan
from hytnas_jax.workspace import architecture_row
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir, command_line
from proxies.latency.predictor import MIN_MEASURED
from supernet.architecture import Architecture


def device_kit(config: Config) -> None:
    """Writes the kit beside its place, and moves it there when it is whole."""
    unfinished = config.output.with_name(f".{config.output.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    count = _study_kit(unfinished, config) if config.study else _networks_kit(unfinished, config)
    unfinished.rename(config.output)
    console.say(
        f"{count} models, about {count // 60 or 1} min to measure; copy the folder to the device, and there "
        "run: python measure.py --device NAME"
    )
    command = "study_efficiency" if config.study else "fit_latency"
    device = "" if config.study else " --device NAME"
    console.wrote([config.output], f"{command_line(command, config.workdir)}{device} --measurements NAME.csv")


def _networks_kit(folder: Path, config: Config) -> int:
    """A kit of networks of the project's space; gives their number."""
    project = open_project(Workdir(config.workdir))
    networks = _networks(project, config)
    runtime, columns = RUNTIMES[config.runtime], architecture_row.columns(project.space)[1:]
    with console.progress(networks, "writing models") as bar:
        cells = [architecture_row.to_cells(project.space, network) for network in networks]
        write_kit(
            folder,
            (
                (network.name, runtime.build(project.to_spec(network)), {name: row[name] for name in columns})
                for network, row in zip(bar, cells, strict=True)
            ),
            suffix=runtime.suffix,
            identity=f"{FRONT if config.front else SAMPLE}-{uuid.uuid4().hex[:12]}",
            columns=columns,
            next_command=f"{command_line('fit_latency', config.workdir)} --device @DEVICE "
            "--measurements @DEVICE.csv",
        )
    return len(networks)


def _networks(project: Project, config: Config) -> Sequence[Architecture]:
    if config.front:
        return [point.architecture for point in load_pareto(project)]
    return draw_networks(project.space, config.networks, config.seed, least=MIN_MEASURED)


def _study_kit(folder: Path, config: Config) -> int:
    """A kit of what the efficiency study compares; gives the number of its models."""
    plan, _ = open_plan(Workdir(config.workdir))
    subjects = [subject for subject in plan.subjects() if subject.runs_in(config.runtime)]
    with console.progress(subjects, "writing models") as bar:
        write_kit(
            folder,
            ((subject.name, subject.model(config.runtime), {}) for subject in bar),
            suffix=RUNTIMES[config.runtime].suffix,
            identity=plan.identity,
            columns=(),
            next_command=f"{command_line('study_efficiency', config.workdir)} --measurements @DEVICE.csv",
        )
    return len(subjects)
