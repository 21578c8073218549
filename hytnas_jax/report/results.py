"""What a work folder holds, read for the report: a step that has not ended is None.

Letters: N evaluations or networks, M objectives.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.files.atomic import read_json
from hytnas_jax.files.tables import number_in, read_user_table
from hytnas_jax.latency.devices import device_names, device_step
from hytnas_jax.latency.measurements import Measurements
from hytnas_jax.report.study_result import StudyResult, read_study
from hytnas_jax.retrain.examples import Example, read_examples
from hytnas_jax.retrain.retrained import Retrained, read_retrained
from hytnas_jax.search.pareto_file import SearchObjective, read_pareto
from hytnas_jax.workspace.project import Project
from proxies.complexity import Complexity, complexity
from proxies.latency.features import Features, feature_table
from proxies.latency.predictor import MIN_NETWORKS, NUM_FOLDS, HeldOutError, LatencyPredictor, cross_validate
from supernet.errors import UserError

# In their order: step -> the command that makes it.
STEPS = {
    "data": "train_supernet",
    "supernet": "train_supernet",
    "latency": "measure_latency",
    "search": "search",
    "retrain": "retrain",
    "export": "export",
}

Values = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Finished:
    """A step that has ended: what it was made with and what it came to.

    stale: the upstream steps that have been made anew since.
    """

    settings: dict[str, Any]
    summary: dict[str, Any]
    seconds: float
    environment: dict[str, Any]
    stale: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class SearchResult:
    """values, random: float64 [N, M] in the order of evaluation, NaN where one failed; random is None
    where there was no random search. front: [N', M]. reference: [M], the hypervolume's corner.
    num_extrapolated: networks on the front unlike those that the latency predictor has seen."""

    objectives: tuple[SearchObjective, ...]
    values: Values
    random: Values | None
    front: Values
    reference: Values
    num_initial: int
    num_extrapolated: int


@dataclasses.dataclass(frozen=True, eq=False)
class LatencyResult:
    """measured_ms, predicted_ms [N]: each network predicted by a predictor that has not seen it; empty
    where there are too few networks for that."""

    error: HeldOutError
    measured_ms: Values
    predicted_ms: Values


@dataclasses.dataclass(frozen=True)
class NetworkResult:
    """A retrained network. letter: what the report calls it. card: its model card, once exported. examples:
    of the test split, none for classification."""

    letter: str
    retrained: Retrained
    complexity: Complexity
    card: dict[str, Any] | None
    examples: tuple[Example, ...] = ()

    @property
    def decoding_ms(self) -> float:
        """NaN for classification, and where it has not been measured."""
        return math.nan if self.card is None else float(self.card["latency"].get("decoding_ms", math.nan))

    @property
    def measured_ms(self) -> float:
        """NaN where it has not been measured."""
        return math.nan if self.card is None else float(self.card["latency"]["measured_ms"])

    @property
    def predicted_ms(self) -> float:
        """NaN where the search did without the latency."""
        return self.retrained.estimates.get("latency_ms", math.nan)


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
    """Everything that the report tells.

    steps: those that have ended, by name, in their order. devices: what `fit_latency` found, by name.
    """

    project: Project
    steps: dict[str, Finished]
    training: list[dict[str, float]] | None
    latency: LatencyResult | None
    search: SearchResult | None
    networks: tuple[NetworkResult, ...] | None
    study: StudyResult | None
    devices: dict[str, dict[str, Any]]


def read_results(project: Project) -> Results:
    """Read what there is. Raises UserError for a file that is damaged, naming it."""
    steps = _finished(project)
    return Results(
        project,
        steps,
        _training(project.workdir.path / "supernet" / "metrics.jsonl") if "supernet" in steps else None,
        _latency(project) if "latency" in steps else None,
        _search(project, steps["search"]) if "search" in steps else None,
        _networks(project, is_exported="export" in steps) if "retrain" in steps else None,
        read_study(project) if "supernet" in steps else None,
        {
            name: device_step(project.workdir, name).done()["summary"]
            for name in device_names(project.workdir)
        },
    )


def _finished(project: Project) -> dict[str, Finished]:
    steps = {}

    def identity(name: str) -> str | None:
        step = project.workdir.step(name)
        return step.done()["id"] if step.is_done else None

    for name in STEPS:
        step = project.workdir.step(name)
        if not step.is_done:
            continue
        done, begun = step.done(), read_json(step.folder / "settings.json")
        stale = tuple(above for above, made_by in begun["inputs"].items() if identity(above) != made_by)
        steps[name] = Finished(
            begun["settings"], done["summary"], done["seconds"], done["environment"], stale
        )
    return steps


def _training(path: Path) -> list[dict[str, float]]:
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: these are no training metrics ({error}); restore the file") from None


def _latency(project: Project) -> LatencyResult:
    folder = project.workdir.step("latency").folder
    error = HeldOutError(**read_json(folder / "predictor.json")["error"])
    measurements = Measurements(folder / "measurements.csv", project.space).read()
    measured = np.array([timing.latency_ms for timing in measurements.values()])
    if len(measured) * (NUM_FOLDS - 1) < MIN_NETWORKS * NUM_FOLDS:
        return LatencyResult(error, np.zeros(0), np.zeros(0))
    features = feature_table(project.to_spec(architecture) for architecture in measurements)
    return LatencyResult(error, measured, cross_validate(_fitted, features, measured))


def _fitted(features: Features, latency_ms: np.ndarray) -> Callable[[Features], np.ndarray]:
    return LatencyPredictor.fit(features, latency_ms).predict


def _search(project: Project, finished: Finished) -> SearchResult:
    step = project.workdir.step("search")
    pareto, folder = read_pareto(step), step.folder
    names = list(pareto.names)
    front = [[point["values"][name] for name in names] for point in pareto.front]
    random = folder / "random.csv"
    return SearchResult(
        pareto.objectives,
        _evaluated(folder / "evaluations.csv", names),
        _evaluated(random, names) if random.exists() else None,
        np.array(front, np.float64).reshape(-1, len(names)),
        np.array([pareto.reference[name] for name in names]),
        finished.settings["initial"],
        sum(point["extrapolated"] for point in pareto.front),
    )


def _evaluated(path: Path, names: list[str]) -> Values:
    """The columns `names` of a table of evaluations, float64 [N, M]."""
    try:
        table = read_user_table(path.read_bytes(), str(path))
        rows = [[number_in(row.cells, name, may_fail=True) for name in names] for row in table.rows]
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{path}: this is no whole table of evaluations with {', '.join(names)} ({error}); "
            "restore it from a copy, or delete the folder and search again"
        ) from None
    return np.array(rows, np.float64).reshape(-1, len(names))


def _networks(project: Project, *, is_exported: bool) -> tuple[NetworkResult, ...]:
    """The retrained networks, the lowest test error first."""
    export = project.workdir.step("export").folder
    return tuple(
        NetworkResult(
            _letter(index),
            network,
            complexity(network.spec),
            read_json(export / network.name / "card.json") if is_exported else None,
            read_examples(network.folder, network.result.get("examples", ())),
        )
        for index, network in enumerate(read_retrained(project.workdir.step("retrain")))
    )


def _letter(index: int) -> str:
    """A, B, ..., Z, A2, B2, ..."""
    turn, place = divmod(index, 26)
    return chr(ord("A") + place) + (str(turn + 1) if turn else "")
