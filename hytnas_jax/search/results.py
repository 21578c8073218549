"""What a search ends with: the best trade-offs in `search/pareto.json`, and two figures.

Letters: N evaluations, M objectives.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from hytnas_jax import console, plots
from hytnas_jax.files.atomic import write_json
from hytnas_jax.mobo import hypervolume_history, pareto_mask
from hytnas_jax.mobo.pareto import pareto_rank
from hytnas_jax.search.log import EvaluationLog, none_if_nan
from hytnas_jax.search.loop import reference_point
from hytnas_jax.search.pareto_file import FILE, read_pareto
from hytnas_jax.search.problem import SearchProblem
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Step
from proxies.complexity import complexity
from supernet.architecture import Architecture

# What is said wherever an error of the search stands.
ESTIMATED = (
    "estimated before anything is trained on its own; for ranking only, and no forecast of what a "
    "network reaches once it is retrained"
)
# Of the networks behind the front so many are noted, those of whole fronts: what retraining may fall back on.
BEHIND = 100


@dataclasses.dataclass(frozen=True)
class ParetoPoint:
    """One architecture that no evaluated one dominates.

    index: its row in evaluations.csv. values: by objective. std: how unsure those are that are estimated.
    loss: in nats, where the error was evaluated. network: the fields of its
    `Complexity`. extrapolated: its latency lies outside what the latency predictor was fitted on.
    measured_ms: its latency on this machine as the search has measured it, where it has.
    """

    architecture: Architecture
    index: int
    values: Mapping[str, float]
    std: Mapping[str, float]
    loss: float | None
    network: Mapping[str, int]
    extrapolated: bool
    measured_ms: float | None = None


def pareto_points(
    project: Project,
    search_problem: SearchProblem,
    log: EvaluationLog,
    measured_ms: Mapping[Architecture, float],
) -> list[ParetoPoint]:
    """The Pareto set of everything evaluated within the bounds, the best in the first objective first.

    Limits are looked at too: a network was within them when it was evaluated, and need not be by a predictor
    that has been fitted since. Where nothing is within all, it is that of everything, and a warning says so.
    """
    minimised = _within_limits(search_problem, log)
    if not np.isfinite(minimised).all(axis=1).any():
        limits = ", ".join(f"{name} {most:g}" for name, most in _limits(search_problem).items())
        console.warn(f"no network is as good as {limits}: the front is that of all networks; evaluate more")
        minimised = search_problem.problem.minimised(log.values)
    indices = np.flatnonzero(pareto_mask(minimised))
    indices = indices[np.argsort(minimised[indices, 0], kind="stable")]
    extrapolated = search_problem.is_extrapolated(log.genes[indices])
    points = []
    for index, outside in zip(indices.tolist(), extrapolated.tolist(), strict=True):
        architecture, values, std = _evaluated(project, search_problem, log, index)
        network = dataclasses.asdict(complexity(project.to_spec(architecture)))
        measured = measured_ms.get(architecture)
        points.append(
            ParetoPoint(
                architecture, index, values, std, none_if_nan(log.at(index).loss), network, outside, measured
            )
        )
    return points


def _within_limits(search_problem: SearchProblem, log: EvaluationLog) -> np.ndarray:
    """What was evaluated, minimised [N, M]; NaN where it is beyond a limit."""
    minimised = search_problem.problem.minimised(log.values)
    within = search_problem.problem.within_bounds(minimised) & search_problem.problem.feasible(log.genes)
    return np.where(within[:, None], minimised, np.nan)


def _behind(project: Project, search_problem: SearchProblem, log: EvaluationLog) -> list[dict[str, Any]]:
    """The networks within the limits that are not on the front, front after front, at least `BEHIND` where
    there are so many; as JSON values."""
    minimised = _within_limits(search_problem, log)
    usable = np.flatnonzero(np.isfinite(minimised).all(axis=1))
    ranks = pareto_rank(minimised[usable])
    last = np.sort(ranks[ranks > 0])[:BEHIND].max(initial=0)
    chosen = [n for n in np.lexsort((minimised[usable, 0], ranks)) if 0 < ranks[n] <= last]
    rows = usable[chosen].tolist()
    return [_network_to_json(project, row, *_evaluated(project, search_problem, log, row)) for row in rows]


def _evaluated(
    project: Project, search_problem: SearchProblem, log: EvaluationLog, index: int
) -> tuple[Architecture, dict[str, float], dict[str, float]]:
    """An evaluated architecture, its values by objective, and how unsure those are that are estimated."""
    evaluation, objectives = log.at(index), search_problem.problem.objectives
    values = {o.name: float(evaluation.values[m]) for m, o in enumerate(objectives)}
    std = {o.name: float(evaluation.unsure[m]) for m, o in enumerate(objectives) if o.is_estimated}
    return project.space.decode(evaluation.genes), values, std


def _limits(search_problem: SearchProblem) -> dict[str, float]:
    """The most that each limited number may be, or the least where more is better."""
    return {
        **{limit.name: limit.maximum for limit in search_problem.problem.limits},
        **{bound.objective: bound.worst for bound in search_problem.problem.bounds},
    }


def write_results(
    project: Project,
    search_problem: SearchProblem,
    step: Step,
    points: list[ParetoPoint],
    logs: Mapping[str, EvaluationLog],
) -> dict[str, float]:
    """Write pareto.json, front.png and hypervolume.png into the step's folder.

    Args:
      logs: "search", and "random" if there is a baseline; both have the same initial evaluations.

    Returns:
      the hypervolume of each log, up to the same corner.
    """
    objectives = search_problem.problem.objectives
    reference = reference_point(search_problem.problem, logs["search"])
    directions = [objective.direction for objective in objectives]
    histories = {name: hypervolume_history(log.values, directions, reference) for name, log in logs.items()}
    volumes = {name: float(history[-1]) for name, history in histories.items()}
    report = {
        "objectives": [{"name": o.name, "unit": o.unit, "direction": o.direction} for o in objectives],
        "limits": _limits(search_problem),
        "evaluations": {name: len(log) for name, log in logs.items()},
        "failed": {name: int(np.isnan(log.values).any(axis=1).sum()) for name, log in logs.items()},
        "reference": dict(zip((o.name for o in objectives), reference.tolist(), strict=True)),
        "hypervolume": volumes,
        "architectures": [_point_to_json(project, point) for point in points],
        "behind": _behind(project, search_problem, logs["search"]),
    }
    write_json(step.folder / FILE, report)
    on_front = np.isin(np.arange(len(logs["search"])), [point.index for point in points])
    front = plots.front_figure(
        [plots.Axis(o.name, o.unit, o.direction) for o in objectives],
        logs["search"].values,
        on_front,
        logs["random"].values if "random" in logs else None,
    )
    plots.save_figure(step.folder / "front.png", front)
    num_initial = int(np.sum(logs["search"].phases == "initial"))
    plots.save_figure(
        step.folder / "hypervolume.png", plots.hypervolume_figure(histories, initial=num_initial)
    )
    return volumes


def load_pareto(project: Project) -> list[ParetoPoint]:
    """The Pareto set of a work folder's search, the best in the first objective first.

    Raises:
      UserError: the search has not ended, or an architecture is not of the project's space.

    Examples:
      >>> from pathlib import Path
      >>> from hytnas_jax import Workdir, load_pareto, open_project
      >>> front = load_pareto(open_project(Workdir(Path("runs/mine"))))
      >>> sorted(front[0].values)
      ['blended_error', 'latency_ms']
    """
    return [
        ParetoPoint(
            project.space.from_json(entry["architecture"]),
            entry["index"],
            entry["values"],
            entry["std"],
            entry["loss"],
            entry["network"],
            entry["extrapolated"],
            entry.get("measured_ms"),
        )
        for entry in read_pareto(project.workdir.step("search")).front
    ]


def _point_to_json(project: Project, point: ParetoPoint) -> dict[str, Any]:
    return {
        **_network_to_json(project, point.index, point.architecture, point.values, point.std),
        "loss": point.loss,
        "network": dict(point.network),
        "extrapolated": point.extrapolated,
        "measured_ms": point.measured_ms,
    }


def _network_to_json(
    project: Project,
    index: int,
    architecture: Architecture,
    values: Mapping[str, float],
    std: Mapping[str, float],
) -> dict[str, Any]:
    """A dict of JSON values; "architecture" is what `SearchSpace.from_json` takes."""
    return {
        "name": architecture.name,
        "index": index,
        "architecture": project.space.to_json(architecture),
        "values": dict(values),
        "std": dict(std),
    }
