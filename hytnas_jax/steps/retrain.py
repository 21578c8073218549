"""Retraining networks of the Pareto set stand-alone; the test split is read once, at the end."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hytnas_jax import console
from hytnas_jax.choice import choose
from hytnas_jax.command import settings_of
from hytnas_jax.confirmation import confirm
from hytnas_jax.data import Dataset, Pictures
from hytnas_jax.guessing import Training, doubt
from hytnas_jax.init_from import read_origins
from hytnas_jax.objectives import SHARES
from hytnas_jax.project import Project, open_project
from hytnas_jax.search_results import ESTIMATED, load_pareto
from hytnas_jax.steps.train_supernet import load_supernet
from hytnas_jax.train_alone import Schedule, error_and_loss, train_alone
from hytnas_jax.weights import load_weights, save_weights
from hytnas_jax.workdir import Step, Workdir, command_line, read_json, write_json
from proxies.ranking import kendall_tau
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.model import Tree
from supernet.named import NAMES, named_network
from supernet.network_spec import NetworkSpec
from supernet.subnet import slice_subnet

if TYPE_CHECKING:
    from hytnas_jax.retrain import Config


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A network to retrain: its role in the choice, what the search expected of it, and of that the costs,
    which are all objectives but errors, minimised. A published network has no architecture of the space, and
    nothing was expected of it."""

    spec: NetworkSpec
    role: str
    architecture: Architecture | None = None
    expected: dict[str, float] = dataclasses.field(default_factory=dict)
    costs: list[float] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        return self.spec.name


def retrain(config: Config) -> None:
    """Retrain the chosen networks one after the other, then test all of them."""
    workdir = Workdir(config.workdir)
    project = open_project(workdir)
    search = workdir.step("search")
    inputs = {"search": search.require("search")["id"]}
    published = _published(project, config.named)
    step = workdir.step("retrain")
    step.begin(settings_of(config), inputs)
    next_command = command_line("export", config.workdir)
    if step.is_done:
        console.say(f"the networks in {step.folder} are retrained already")
        console.wrote([], next_command)
        return
    chosen = [*_chosen(project, search, config.count), *published]
    dataset = project.dataset()
    shared = shared_weights(project)
    for number, network in enumerate(chosen, 1):
        folder = step.folder / network.name
        if not (folder / "weights.npz").exists():
            label = f"retraining {network.name} ({number} of {len(chosen)}, {network.role})"
            _retrain(project, dataset, network, shared, config, folder, label)
    with console.progress(chosen, "testing the retrained networks") as bar:
        results = [_test(project, dataset, network, step.folder, config) for network in bar]
    trainings = [
        Training(network.name, step.folder / network.name, 1 - result["search_error_retrained"])
        for network, result in zip(chosen, results, strict=True)
    ]
    said = doubt(trainings, dataset, _schedule(config), mirror=project.mirror)
    _finish(step, chosen, results, pictures=len(dataset.search), said=said)
    console.wrote([step.folder / network.name for network in chosen], next_command)


def _chosen(project: Project, search: Step, count: int) -> list[Chosen]:
    objectives = read_json(search.folder / "pareto.json")["objectives"]
    names = [objective["name"] for objective in objectives]
    signs = np.array([1.0 if objective["direction"] == "min" else -1.0 for objective in objectives])
    points = load_pareto(project)
    values = np.array([[point.values[name] for name in names] for point in points])
    return [
        Chosen(
            project.to_spec(points[row].architecture),
            role,
            points[row].architecture,
            dict(points[row].values),
            (values * signs)[row, [name not in SHARES for name in names]].tolist(),
        )
        for row, role in choose(values * signs, names, count)
    ]


def _published(project: Project, names: Sequence[str]) -> list[Chosen]:
    """Published networks for the project's pictures.

    Raises UserError for a name that is not known, or whose network cannot take pictures of that side.
    """
    side, chosen = max(project.space.resolution), []
    for name in dict.fromkeys(names):
        try:
            spec = named_network(
                name, num_classes=project.num_classes, resolution=side, channels=project.channels
            )
        except UserError as error:
            if name not in NAMES:
                raise
            raise UserError(
                f"--named {name}: {error}; the resolution is the largest of the search, so leave {name} out "
                "or search at another one in another work folder"
            ) from None
        chosen.append(Chosen(spec, "published"))
    return chosen


def shared_weights(project: Project) -> Callable[[Architecture], Tree]:
    """Cuts an architecture's parameters out of the supernet's."""
    model, params = load_supernet(project)
    blank = model.no_stats()
    return lambda architecture: slice_subnet(project.space, architecture, params, blank)[1]


def _retrain(
    project: Project,
    dataset: Dataset,
    network: Chosen,
    shared: Callable[[Architecture], Tree],
    config: Config,
    folder: Path,
    label: str,
) -> None:
    """Writes `folder`/architecture.json and, at last, weights.npz."""
    record: dict[str, Any] = {
        "network": network.spec.to_json(),
        "role": network.role,
        "search": network.expected,
    }
    start = None
    if network.architecture is not None:
        record |= project.space.to_json(network.architecture)
        start = shared(network.architecture) if config.start == "supernet" else None
    write_json(folder / "architecture.json", record)
    weights = train_alone(
        project,
        dataset,
        network.spec,
        _schedule(config),
        start=start,
        folder=folder,
        label=label,
    )
    save_weights(folder / "weights.npz", *weights)


def _schedule(config: Config) -> Schedule:
    return Schedule(config.epochs, config.batch_size, config.learning_rate, config.seed)


def _test(
    project: Project, dataset: Dataset, network: Chosen, retrained: Path, config: Config
) -> dict[str, Any]:
    """Errors on the search split and, for the first and only time, on the test split; `result.json`."""
    folder = retrained / network.name
    path = folder / "result.json"
    if path.exists():
        return read_json(path)
    weights = load_weights(folder / "weights.npz")

    def error_on(pictures: Pictures) -> float:
        return error_and_loss(project, dataset, network.spec, weights, pictures)[0]

    start = config.start if network.architecture is not None else "scratch"
    origins = read_origins(project.workdir.step("supernet")) if start == "supernet" else ()
    result = {
        "search_error_expected": network.expected.get("error", network.expected.get("trained_error")),
        "search_error_retrained": error_on(dataset.search),
        "test_error": error_on(dataset.test),
        "test_pictures": len(dataset.test),
        "epochs": config.epochs,
        "init": start,
        "begun_with": origins,
    }
    write_json(path, result)
    return result


def _finish(
    step: Step,
    chosen: list[Chosen],
    results: list[dict[str, Any]],
    *,
    pictures: int,
    said: str | None,
) -> None:
    """Say what became of the networks, and close the step; `pictures` of the search split judged them.

    Published networks are in the table, and in nothing that is said of the search's front.
    """
    searched = [n for n, network in enumerate(chosen) if network.architecture is not None]
    errors = np.array([results[n]["search_error_retrained"] for n in searched])
    verdicts = confirm(np.array([chosen[n].costs for n in searched]), errors, pictures=pictures)
    still_on_front = dict(zip(searched, verdicts, strict=True))
    rows = []
    for n, (network, result) in enumerate(zip(chosen, results, strict=True)):
        expected, found = result["search_error_expected"], result["search_error_retrained"]
        verdict = still_on_front.get(n)
        rows.append((network.name, network.role, expected, found, result["test_error"], verdict))
    console.table(
        rows, ("network", "role", "expected error", "retrained", "test error", "still on the front")
    )
    if any("error" in network.expected for network in chosen):
        console.say(f"expected error: {ESTIMATED}")
    if "unclear" in verdicts:
        console.say(
            "unclear: another one costs no more and makes fewer errors, which may be chance "
            f"({pictures} pictures)"
        )
    summary: dict[str, Any] = {
        "networks": [network.name for network in chosen],
        "still_on_front": verdicts,
        "ranking": None,
        "doubt": said,
    }
    if all(results[n]["search_error_expected"] is not None for n in searched):
        tau = kendall_tau(*zip(*((rows[n][2], rows[n][3]) for n in searched), strict=True))
        if not math.isnan(tau.tau):
            summary["ranking"] = dataclasses.asdict(tau)
            console.say(
                f"how well the search ranked these {tau.n} (1: as retraining does, 0: not at all): Kendall's "
                f"tau {tau.tau:.2f}, 95 % interval {tau.low:.2f} to {tau.high:.2f}"
            )
    if said is not None:
        console.warn(said)
    step.finish(summary)
