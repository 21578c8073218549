"""Ways to train a supernet, by how well its subnets rank the networks of the study.

    python -m benchmarks.accuracy.ranking_supernets --workdir runs/cifar --name ranking_supernets_cifar10

For a work folder of a built-in space in which `train_supernet` and `study_ranking` have ended: a supernet of
each variant is trained on the same images in a work folder of its own (`ranking_supernets/VARIANT`), with
everything else as it is, and every supernet evaluates the study's networks. How well the supernets agree with
one another stands beside how well they agree with the references.
"""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.common import main
from hytnas_jax.accuracy.agreement import agreements, bands
from hytnas_jax.accuracy.estimates import Values
from hytnas_jax.accuracy.references import References, read_references
from hytnas_jax.files.atomic import read_json
from hytnas_jax.train_supernet import command as step
from hytnas_jax.train_supernet.config import Config as Training
from hytnas_jax.training.step import compiled_step
from hytnas_jax.training.supernet import supernet_error
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs
from proxies.ranking import tau_b
from supernet import training
from supernet.architecture import Architecture
from supernet.sampling import sandwich
from supernet.search_space import SearchSpace

AS_IT_IS = "as it is"
NUM_UNIFORM = 5  # random subnets cost about as much as the sandwich: the largest, the smallest and two


@dataclasses.dataclass(frozen=True)
class Config:
    """Train supernets in several ways, and evaluate the study's networks with each."""

    workdir: Path
    """A work folder in which train_supernet and study_ranking have ended."""
    name: str = "ranking_supernets"
    """Of the result file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Train what is missing, evaluate, and compare with the references."""
    project = open_project(Workdir(config.workdir))
    references = read_references(project)
    networks, evaluated = {AS_IT_IS: project}, {}
    for name, variant in VARIANTS.items():
        with variant():
            networks[name] = trained(project, config.workdir / "ranking_supernets" / name.replace(" ", "_"))
    for name, own in networks.items():
        evaluated[name] = evaluate(own, references.architectures)
    macs = num_macs(project.to_spec)(references.architectures)
    found = {name: compare(values, references, macs) for name, values in evaluated.items()}
    losses = {name: values["loss"] for name, values in evaluated.items()}
    between = {
        f"{one}, {other}": tau_b(losses[one], losses[other])
        for number, one in enumerate(losses)
        for other in list(losses)[number + 1 :]
    }
    for name, by_estimate in found.items():
        for estimate, by_band in by_estimate.items():
            print(f"{name}, {estimate}: " + ", ".join(f"{band} {a.tau}" for band, a in by_band.items()))
    print("tau between supernets:", between)
    return {
        "data": project.source,
        "supernets": {name: own.workdir.step("supernet").done()["summary"] for name, own in networks.items()},
        "agreement": found,
        "tau between supernets": between,
        "estimates": evaluated,
        "networks": [network.name for network in references.architectures],
    }


def trained(project: Project, folder: Path, **changes: Any) -> Project:
    """A work folder with the same images, and a supernet trained with the settings of the project's own,
    less `changes`."""
    if not (folder / "data").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("workdir.json", "data"):
            source = project.workdir.path / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    begun = [read_json(project.workdir.path / name / "settings.json") for name in ("data", "supernet")]
    fields = {field.name for field in dataclasses.fields(Training)}
    flags: dict[str, Any] = {name: value for part in begun for name, value in part["settings"].items()}
    flags |= {"space": project.space.name, "resolutions": tuple(project.space.resolution)}
    step.train_supernet(Training(folder, **({name: flags[name] for name in fields & flags.keys()} | changes)))
    return open_project(Workdir(folder))


def evaluate(project: Project, networks: list[Architecture]) -> Values:
    """Accuracy and negative loss with the supernet's weights, each [A]."""
    found = supernet_error(project).estimate(networks)
    return {"accuracy": 1 - found.values, "loss": -found.details["loss"]}


def compare(values: Values, references: References, macs: np.ndarray) -> dict[str, dict[str, Any]]:
    """The agreement of each with the references, over all networks and by thirds of the MACs."""
    return agreements(values, references.accuracy, macs, bands(macs))


@contextlib.contextmanager
def without_smallest() -> Iterator[None]:
    """A further random subnet in place of the smallest."""

    def sample(space: SearchSpace, rng: np.random.Generator, **options: Any) -> list[Architecture]:
        drawn = sandwich(space, rng, **{**options, "num_random": options["num_random"] + 1})
        return [drawn[0], *drawn[2:]]

    with mock.patch.object(step, "sandwich", sample):
        yield


@contextlib.contextmanager
def uniform_by_labels() -> Iterator[None]:
    """Random subnets alone, each learning the labels: no largest one, which teaches the others."""

    def sample(space: SearchSpace, rng: np.random.Generator, **options: Any) -> list[Architecture]:
        return sandwich(space, rng, **{**options, "num_random": NUM_UNIFORM})[2:]

    def train(model: Any, recipe: training.Recipe, *state_and_batch: Any) -> Any:
        lesson = recipe.lesson._replace(teach=lambda output, wanted: wanted)
        return real_step(model, dataclasses.replace(recipe, lesson=lesson), *state_and_batch)

    real_step = training.step
    compiled_step.cache_clear()  # another variant's program
    with mock.patch.object(step, "sandwich", sample), mock.patch.object(training, "step", train):
        yield
    compiled_step.cache_clear()


VARIANTS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "without the smallest": without_smallest,
    "uniform by labels": uniform_by_labels,
}


if __name__ == "__main__":
    main(benchmark, Config)
