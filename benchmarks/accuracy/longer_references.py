"""Does a longer training rank the study's networks otherwise? Those of one third of the costs, trained on.

    python -m benchmarks.accuracy.longer_references --workdir runs/cifar --name longer_references_cifar10

For a work folder in which `train_supernet` and `study_ranking` have ended: the study's networks of one third
of the range of log MACs are trained from random weights for so many epochs, all else as in the study. It says
how well both trainings rank alike, and how well each estimate ranks like either. Every training is a row of
`longer_references/EPOCHS.csv`; the same command goes on.
"""

import dataclasses
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.common import main, require_at_least
from hytnas_jax.accuracy.agreement import agreements, bands
from hytnas_jax.accuracy.estimates import MACS, estimates_of
from hytnas_jax.accuracy.reference_table import ReferenceJob, ReferenceTable
from hytnas_jax.accuracy.reference_training import ReferenceTrainer, train_missing
from hytnas_jax.accuracy.references import STEP, read_references
from hytnas_jax.files.atomic import read_json
from hytnas_jax.runtime.executor import local
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the study's networks of one third of the costs for longer, and compare the rankings."""

    workdir: Path
    """A work folder in which train_supernet and study_ranking have ended."""
    epochs: int = 36
    """How often each training image is seen."""
    third: Literal["cheap", "middle", "dear"] = "cheap"
    """Which networks."""
    name: str = "longer_references"
    """Of the result file."""
    processes: int = os.cpu_count() or 1
    """Networks trained at the same time."""


def benchmark(config: Config) -> dict[str, Any]:
    """Train what is missing, and compare."""
    require_at_least(config, {"epochs": 1, "processes": 1})
    project = open_project(Workdir(config.workdir))
    references = read_references(project)
    estimates = estimates_of(project, references.architectures)
    inside = np.flatnonzero(bands(estimates[MACS])[config.third])
    networks = [references.architectures[index] for index in inside]
    study = read_json(project.workdir.step(STEP).folder / "settings.json")["settings"]
    schedule = Schedule(config.epochs, study["batch_size"], study["learning_rate"], study["seed"])
    folder = project.workdir.path / "longer_references"
    table = ReferenceTable(folder / f"{config.epochs}.csv", project.space, epochs=config.epochs)
    jobs = [ReferenceJob(study["seed"], network, config.epochs) for network in networks]
    trainer = ReferenceTrainer(project, project.dataset(), schedule, folder)
    train_missing(trainer, table, jobs, local(config.processes, share_cores=True))
    trained = table.read()
    longer = np.array([1 - trained[job].error for job in jobs])
    shorter, macs = references.accuracy[inside], estimates[MACS][inside]
    all_of_them = {"all": np.ones(len(inside), bool)}
    ranked = {name: values[inside] for name, values in estimates.items()}
    ranked[f"accuracy after {references.epochs} epochs"] = shorter
    found = {
        "longer": agreements(ranked, longer, macs, all_of_them),
        "shorter": agreements(ranked, shorter, macs, all_of_them),
    }
    for name in ranked:
        taus = {which: by_name[name]["all"].tau for which, by_name in found.items()}
        print(f"{name}: " + ", ".join(f"{which} {tau}" for which, tau in taus.items()))
    return {
        "data": project.source,
        "epochs": {"shorter": references.epochs, "longer": config.epochs},
        "accuracy": {"shorter": shorter, "longer": longer},
        "agreement": found,
        "networks": [network.name for network in networks],
    }


if __name__ == "__main__":
    main(benchmark, Config)
