"""The search in a work folder: from the steps that it stands on to the Pareto set and what is said of it."""

from collections.abc import Mapping

from hytnas_jax import console
from hytnas_jax.files.atomic import write_json
from hytnas_jax.latency.devices import require_latency
from hytnas_jax.latency.measurements import STEP as LATENCY_STEP
from hytnas_jax.mobo import Settings
from hytnas_jax.numbers import counted
from hytnas_jax.runtime.environment import environment
from hytnas_jax.search.config import Config
from hytnas_jax.search.log import EvaluationLog
from hytnas_jax.search.loop import EvaluationBudget, at_random, bayesian, initial_genes, run_loop
from hytnas_jax.search.pareto_file import FILE
from hytnas_jax.search.problem import SearchProblem, make_search_problem, measured_step
from hytnas_jax.search.recalibration import Recalibration, is_same_processor
from hytnas_jax.search.results import ESTIMATED, ParetoPoint, pareto_points, write_results
from hytnas_jax.shared_flags.limits import COUNTED, LIMITS
from hytnas_jax.shared_flags.objective_names import ERRORS, on_device
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from supernet.errors import UserError

STEP = "search"
# A finished search goes on where one of these has grown.
MAY_GROW = ("evaluations", "random_baseline")


def search(config: Config) -> None:
    """Search, or go on searching, and write the Pareto set."""
    settings = Settings(
        surrogate=config.surrogate, acquisition=config.acquisition, selection=config.selection
    )
    project = open_project(Workdir(config.workdir))
    step = project.workdir.step(STEP)
    is_measuring = _begin(project, step, config)
    if step.is_done:
        summary = step.done()["summary"]
        console.say(
            f"step {STEP!r} is done: {counted(summary['evaluations'], 'evaluation')}, "
            f"{counted(summary['front'], 'network')} on the Pareto front; "
            f"give more --evaluations to go on, or delete {step.folder} to search anew"
        )
        console.wrote([], command_line("retrain", config.workdir))
        return
    objectives = [on_device(name, config.device) for name in config.objectives]
    search_problem = make_search_problem(
        project, objectives, limits=_limits(config), features=config.features
    )
    log = EvaluationLog(step.folder / "evaluations.csv", project.space, search_problem.problem)
    recalibrations = Recalibration(project, search_problem, log, step.folder) if is_measuring else None
    logs = _run_loop(project, search_problem, log, config, settings, recalibrations)
    points = pareto_points(
        project, search_problem, log, {} if recalibrations is None else recalibrations.measured_ms
    )
    volumes = write_results(project, search_problem, step, points, logs)
    measured = None
    if recalibrations is not None:
        measured = recalibrations.summary()
        write_json(step.folder / "predictor.json", search_problem.predictor.to_json())
    step.finish({"evaluations": len(log), "front": len(points), "hypervolume": volumes, "measured": measured})
    _show(search_problem, points, volumes)
    if measured is not None:
        console.say(measured.in_words())
    _warn_if_extrapolated(points)
    names = ("evaluations.csv", FILE, "front.png", "hypervolume.png")
    console.wrote([step.folder / name for name in names], command_line("retrain", config.workdir))


def _begin(project: Project, step: Step, config: Config) -> bool:
    """Begin the step; gives whether what it evaluates is measured."""
    inputs = _inputs(project, config)
    is_measuring = config.measure_batches and LATENCY_STEP in inputs and is_same_processor(project)
    settings = {**settings_of(config), "measure_batches": is_measuring}
    if is_measuring:
        settings["cpu"] = environment()["cpu"]  # what two processors have measured is not mixed
    step.begin(settings, inputs, may_grow=MAY_GROW)
    return is_measuring


def _run_loop(
    project: Project,
    search_problem: SearchProblem,
    log: EvaluationLog,
    config: Config,
    settings: Settings,
    recalibrations: Recalibration | None,
) -> dict[str, EvaluationLog]:
    """Search, then search at random; gives both logs, "search" and "random", with the same predictor."""
    budget = EvaluationBudget(config.evaluations, config.initial, config.batch, config.seed)
    first = initial_genes(
        search_problem, budget
    )  # before the predictor, and with it what is within a limit, changes
    strategy = bayesian(search_problem.problem, batch=config.batch, settings=settings)
    after_batch = None if recalibrations is None else recalibrations.after_batch
    run_loop(search_problem, log, strategy, budget, first=first, memory={}, after_batch=after_batch)
    if not config.random_baseline:
        return {"search": log}
    baseline = EvaluationLog(log.path.with_name("random.csv"), project.space, search_problem.problem)
    if recalibrations is not None:
        baseline.recompute()  # a search that has grown may have another predictor now
    strategy = at_random(search_problem.problem, batch=config.batch)
    run_loop(search_problem, baseline, strategy, budget, first=first, memory=log.by_key())
    return {"search": log, "random": baseline}


def _show(search_problem: SearchProblem, points: list[ParetoPoint], volumes: Mapping[str, float]) -> None:
    # What is counted is shown for every network.
    names = [o.name for o in search_problem.problem.objectives if o.name not in COUNTED]
    measured = ("measured ms",) if any(point.measured_ms is not None for point in points) else ()
    rows = [
        (
            point.architecture.name + ("*" if point.extrapolated else ""),
            *(point.values[name] if name not in point.std else _unsure(point, name) for name in names),
            *(point.measured_ms for _ in measured),
            *point.network.values(),
        )
        for point in points
    ]
    console.say(f"the Pareto front, {counted(len(points), 'network')}:")
    columns = ("parameters", "MACs", "peak bytes", "in int8", "file bytes", "in int8")
    console.table(rows, ("name", *names, *measured, *columns))
    for name in [name for name in ERRORS if name in names and name != "trained_error"]:
        console.say(f"{name}: {ESTIMATED}")
    compared = ", ".join(f"{name} {volume:.4g}" for name, volume in volumes.items())
    console.say(f"hypervolume, more is better: {compared}")


def _unsure(point: ParetoPoint, name: str) -> str:
    return f"{point.values[name]:.4f} ± {point.std[name]:.4f}"


def _warn_if_extrapolated(points: list[ParetoPoint]) -> None:
    on_front = sum(point.extrapolated for point in points)
    if on_front:
        front = f"of {counted(len(points), 'network')} on the front (marked *)"
        console.warn(
            f"{counted(on_front, f'{front} is', f'{front} are')} unlike those that the latency predictor "
            "was fitted on: their latency is an extrapolation. Measure more networks "
            "(measure_latency --networks), or trust only what is measured after the export"
        )


def _inputs(project: Project, config: Config) -> dict[str, str]:
    """The `id` of each step that the search stands on. Raises UserError where one has not ended."""
    inputs = {"data": project.done_id}
    if set(ERRORS) & set(config.objectives):
        inputs["supernet"] = project.workdir.step("supernet").require("train_supernet")["id"]
    if "trained_error" in config.objectives:
        inputs["references"] = project.workdir.step("references").require("study_ranking")["id"]
    for name in {on_device(name, config.device) for name in config.objectives} | set(_limits(config)):
        step = measured_step(project, name)
        if step is None:
            continue
        try:
            inputs[step.name] = require_latency(step)["id"]
        except UserError as error:
            raise UserError(
                f"{error}\nor search without it: leave {name} out of --objectives "
                "(e.g. --objectives error macs) and --max-latency-ms away"
            ) from None
    return inputs


def _limits(config: Config) -> dict[str, float]:
    """Objective -> the most it may be."""
    limits = {
        on_device(LIMITS[flag], config.device): float(maximum) for flag, maximum in config.given().items()
    }
    if config.max_error is not None:
        limits[next(name for name in ERRORS if name in config.objectives)] = config.max_error
    return limits
