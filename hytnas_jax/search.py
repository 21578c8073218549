"""Search for the best trade-offs between accuracy and cost among the supernet's networks.

    python -m hytnas_jax.search --workdir runs/digits
    python -m hytnas_jax.search --workdir runs/digits --objectives error parameters --max-peak-memory 65536

Some networks are drawn at random to learn from; then the Bayesian loop (`mobo`) names batch after batch. The
same command again goes on where it was cut and comes to the same result (`exploration`); with a larger
--evaluations it goes on with a finished search.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hytnas_jax import console
from hytnas_jax.command import require_at_least, run, settings_of
from hytnas_jax.evaluations import EvaluationLog
from hytnas_jax.exploration import Budget, at_random, bayesian, explore
from hytnas_jax.mobo import Settings
from hytnas_jax.objectives import Task, check_names, make_task
from hytnas_jax.project import Project, open_project
from hytnas_jax.search_results import ParetoPoint, pareto_points, write_results
from hytnas_jax.workdir import Step, Workdir, command_line
from supernet.errors import UserError

STEP = "search"
# A finished search goes on where one of these has grown.
MAY_GROW = ("evaluations", "random_baseline")


@dataclasses.dataclass(frozen=True)
class Config:
    """Search for the networks with the best trade-offs, within your limits."""

    workdir: Path
    """The work folder; train_supernet has ended in it (and measure_latency, where latency plays a part)."""
    objectives: tuple[str, ...] = ("error", "latency_ms")
    """What to trade off, two to four of: error (rate on the search split, estimated with the supernet's
    weights), latency_ms (predicted), parameters, macs (multiply-accumulates), peak_memory (bytes of
    activations), zen_score (expressiveness at random weights; needs no training)."""
    max_error: float | None = None
    """No network on the front above this error rate (of 0 to 1), as the supernet estimates it."""
    max_latency_ms: float | None = None
    """No network above this predicted latency in milliseconds."""
    max_params: int | None = None
    """No network with more parameters."""
    max_macs: int | None = None
    """No network with more multiply-accumulates for one picture."""
    max_peak_memory: int | None = None
    """No network that needs more bytes for its activations (float32, one picture)."""
    evaluations: int = 80
    """Networks to evaluate in all. Give more to go on with a finished search."""
    initial: int = 24
    """How many of them are drawn before there is anything to learn from: the smallest and the largest of the
    space, the others at random."""
    batch: int = 8
    """Networks that are suggested at once; smaller batches learn more from each evaluation."""
    surrogate: str = "gp"
    """Model of what is evaluated: gp (Gaussian process), xgboost (boosted trees), xgbranker (boosted trees
    that learn which of two is better), ffn (small networks) or bnn (a Bayesian network)."""
    acquisition: str = "ucb"
    """What makes a network promising: ucb (optimistic bound), ei (expected improvement), mean (prediction
    alone) or thompson (a function drawn from the model)."""
    selection: str = "hvi"
    """How the batch is chosen from the promising: hvi (expected hypervolume improvement), random, dominance
    (the acquisitions' front, spread out) or uncertainty (what is known least)."""
    features: str = "genes"
    """What the model sees of a network: genes, or genes+complexity (parameters and MACs too)."""
    random_baseline: bool = True
    """Evaluate as many random networks too, to show what the search is worth. They share the initial ones and
    do not change its result; without, a search of 80 takes 56 evaluations less."""
    seed: int = 0
    """Another seed draws other networks."""


def main(config: Config) -> None:
    """Search, or go on searching, and write the Pareto set."""
    check(config)
    settings = Settings(
        surrogate=config.surrogate, acquisition=config.acquisition, selection=config.selection
    )
    project = open_project(Workdir(config.workdir))
    step = project.workdir.step(STEP)
    inputs = _inputs(project, config)
    step.begin(settings_of(config), inputs, may_grow=MAY_GROW)
    if step.is_done:
        summary = step.done()["summary"]
        console.say(
            f"step {STEP!r} is done: {summary['evaluations']} evaluations, {summary['front']} networks on "
            f"the Pareto front; give more --evaluations to go on, or delete {step.folder} to search anew"
        )
        console.wrote([], command_line("retrain", config.workdir))
        return
    task = make_task(project, config.objectives, limits=_limits(config), features=config.features)
    logs = _explore(project, task, step, config, settings)
    points = pareto_points(project, task, logs["search"])
    volumes = write_results(project, task, step, points, logs)
    step.finish({"evaluations": len(logs["search"]), "front": len(points), "hypervolume": volumes})
    _show(task, points, volumes)
    _warn_if_extrapolated(task, points, logs["search"])
    names = ("evaluations.csv", "pareto.json", "front.png", "hypervolume.png")
    console.wrote([step.folder / name for name in names], command_line("retrain", config.workdir))


def _explore(
    project: Project, task: Task, step: Step, config: Config, settings: Settings
) -> dict[str, EvaluationLog]:
    """Search, then search at random; gives both logs, "search" and "random"."""
    log = EvaluationLog(step.folder / "evaluations.csv", project.space, task.problem)
    budget = Budget(config.evaluations, config.initial, config.batch, config.seed)
    strategy = bayesian(task.problem, batch=config.batch, settings=settings)
    explore(task, log, strategy, budget, memory={})
    if not config.random_baseline:
        return {"search": log}
    baseline = EvaluationLog(step.folder / "random.csv", project.space, task.problem)
    strategy = at_random(task.problem, batch=config.batch)
    explore(task, baseline, strategy, budget, memory=log.by_key())
    return {"search": log, "random": baseline}


def _show(task: Task, points: list[ParetoPoint], volumes: Mapping[str, float]) -> None:
    counted = ("parameters", "macs", "peak_memory")  # shown for every network
    names = [o.name for o in task.problem.objectives if o.name not in counted]
    rows = [
        (
            point.architecture.name + ("*" if point.extrapolated else ""),
            *(point.values[name] for name in names),
            *point.network.values(),
        )
        for point in points
    ]
    console.say(f"the Pareto front, {len(points)} networks:")
    console.table(rows, ("name", *names, "parameters", "MACs", "peak bytes"))
    compared = ", ".join(f"{name} {volume:.4g}" for name, volume in volumes.items())
    console.say(f"hypervolume, more is better: {compared}")


def _warn_if_extrapolated(task: Task, points: list[ParetoPoint], log: EvaluationLog) -> None:
    on_front = sum(point.extrapolated for point in points)
    evaluated = int(np.sum(task.is_extrapolated(log.genes)))
    if evaluated:
        console.warn(
            f"{on_front} of {len(points)} networks on the front (marked *) "
            f"and {evaluated} of all {len(log)} are unlike those that the latency predictor was fitted on: "
            "their latency is an extrapolation. Measure more networks (measure_latency --networks), or trust "
            "only what is measured after the export"
        )


def _inputs(project: Project, config: Config) -> dict[str, str]:
    """The `id` of each step that the search stands on. Raises UserError where one has not ended."""
    inputs = {"data": project.done_id}
    if "error" in config.objectives:
        inputs["supernet"] = project.workdir.step("supernet").require("train_supernet")["id"]
    if "latency_ms" in config.objectives or config.max_latency_ms is not None:
        try:
            inputs["latency"] = project.workdir.step("latency").require("measure_latency")["id"]
        except UserError as error:
            raise UserError(
                f"{error}\nor search without it: leave latency_ms out of --objectives "
                "(e.g. --objectives error macs) and --max-latency-ms away"
            ) from None
    return inputs


def _limits(config: Config) -> dict[str, float]:
    """Objective -> the most it may be."""
    limits = {
        "error": config.max_error,
        "latency_ms": config.max_latency_ms,
        "parameters": config.max_params,
        "macs": config.max_macs,
        "peak_memory": config.max_peak_memory,
    }
    return {name: float(maximum) for name, maximum in limits.items() if maximum is not None}


def check(config: Config) -> None:
    """Raises UserError for numbers and names that cannot be."""
    check_names(config.objectives, config.features)
    require_at_least(config, {"initial": 2, "batch": 1, "seed": 0})
    if config.evaluations < config.initial:
        raise UserError(f"--evaluations {config.evaluations}: must be at least {config.initial} (--initial)")
    if config.max_error is not None and "error" not in config.objectives:
        raise UserError("--max-error: is a limit on an objective; add error to --objectives")
    for name in ("max_error", "max_latency_ms", "max_params", "max_macs", "max_peak_memory"):
        maximum = getattr(config, name)
        if maximum is not None and not 0 < maximum < float("inf"):
            raise UserError(f"--{name.replace('_', '-')} {maximum}: must be a positive number")


if __name__ == "__main__":
    run(main, Config)
