"""Ways to evaluate subnets of a trained supernet, by how well each ranks the networks of the study.

    python benchmarks/ranking_variants.py --workdir runs/cifar --name ranking_variants_cifar10

For a work folder in which `train_supernet` and `study_ranking` have ended: accuracy and loss with BatchNorm
statistics from so many batches of 128 training images, and the accuracy after so many epochs of training
from the supernet's weights, as `retrain` trains. Parameters and MACs stand beside them.
"""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import require_at_least, save_result
from inherit_or_scratch import Config as Retraining
from inherit_or_scratch import Job, Training, inherited, train_missing

from hytnas_jax import console
from hytnas_jax.accuracy.agreement import agreements, bands, ceiling
from hytnas_jax.accuracy.estimates import MACS, PARAMETERS, Values
from hytnas_jax.accuracy.references import read_references
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.flags.settings import flags_of
from hytnas_jax.runtime.command_line import run
from hytnas_jax.training.evaluation_images import evaluation_images
from hytnas_jax.training.supernet import load_supernet
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs, num_parameters
from proxies.supernet_accuracy import SupernetError
from supernet.architecture import Architecture


@dataclasses.dataclass(frozen=True)
class Config:
    """Evaluate the study's networks in several ways."""

    workdir: Path
    """A work folder in which train_supernet and study_ranking have ended."""
    epochs: tuple[int, ...] = (1,)
    """How long to train from the supernet's weights; each is a training of its own."""
    batch_size: int = 64
    """Images in a step of that."""
    calibration: tuple[int, ...] = (1, 4, 16)
    """Batches that BatchNorm statistics are taken from."""
    seed: int = 0
    """Of the order of the images."""
    name: str = "ranking_variants"
    """Of the result file."""
    processes: int = os.cpu_count() or 1
    """Networks trained at the same time."""


def main(config: Config) -> None:
    """Evaluator, train what is missing, and compare with the references."""
    require_at_least(config, {"batch_size": 2, "seed": 0, "processes": 1})
    project = open_project(Workdir(config.workdir))
    references = read_references(project)
    networks = references.architectures
    estimates: Values = {
        PARAMETERS: num_parameters(project.to_spec)(networks),
        MACS: num_macs(project.to_spec)(networks),
        **evaluated(project, networks, config.calibration),
        **fine_tuned(project, networks, config),
    }
    members = bands(estimates[MACS])
    found = agreements(estimates, references.accuracy, estimates[MACS], members)
    for name, by_band in found.items():
        print(f"{name}: " + ", ".join(f"{band} {agreement.tau}" for band, agreement in by_band.items()))
    save_result(
        config.name,
        {
            "command": f"python benchmarks/ranking_variants.py {flags_of(config)}",
            "data": project.source,
            "ceiling": None
            if references.unsure is None
            else ceiling(references.accuracy, references.unsure, members),
            "agreement": found,
            "estimates": estimates,
            "networks": [network.name for network in networks],
        },
    )


def evaluated(project: Project, networks: Sequence[Architecture], calibration: Sequence[int]) -> Values:
    """Accuracies and negative losses with the supernet's weights, for each number of calibration batches."""
    model, params = load_supernet(project)
    dataset, values = project.dataset(), {}
    with console.progress(len(calibration) * len(networks), "evaluating") as bar:
        for count in calibration:
            images = evaluation_images(project, dataset, num_calibration=count)
            estimator = SupernetError(project.space, model, params, images, on_evaluated=bar.advance)
            found = estimator.estimate(networks)
            values[f"accuracy, calibrated on {count} batches"] = 1 - found.values
            values[f"loss, calibrated on {count} batches"] = -found.details["loss"]
    return values


def fine_tuned(project: Project, networks: Sequence[Architecture], config: Config) -> Values:
    """Accuracies after some epochs from the supernet's weights; rows of `ranking_variants/tuned.csv`."""
    folder = project.workdir.path / "ranking_variants"
    supernet = project.workdir.step("supernet").done()["id"]
    table = CsvLog(folder / "tuned.csv", ("supernet", "name", "epochs", "batch_size", "error"))
    key = {"supernet": supernet, "batch_size": str(config.batch_size)}
    by_name = {network.name: network for network in networks}
    done = {
        Job(by_name[row["name"]], "supernet", int(row["epochs"])): float(row["error"])
        for row in table.rows()
        if row["name"] in by_name and all(row[name] == value for name, value in key.items())
    }
    jobs = [Job(network, "supernet", epochs) for epochs in config.epochs for network in networks]
    retraining = Retraining(config.workdir, batch_size=config.batch_size, seed=config.seed)
    work = Training(project, project.dataset(), inherited(project, networks), folder, retraining)

    def record(job: Job, error: float) -> None:
        table.append({**key, "name": job.architecture.name, "epochs": job.epochs, "error": error})

    train_missing(work, jobs, done, record, processes=config.processes)
    return {
        f"accuracy after {epochs} epochs from the supernet": 1
        - np.array([done[Job(network, "supernet", epochs)] for network in networks])
        for epochs in config.epochs
    }


if __name__ == "__main__":
    run(main, Config)
