"""The files of a study's results, of every finished search in its folder."""

from collections.abc import Sequence
from pathlib import Path

from hytnas_jax.files.atomic import write_json, write_text
from hytnas_jax.plots import save_figure
from hytnas_jax.runtime.environment import environment
from hytnas_jax.study_search.budget import StudyBudget
from hytnas_jax.study_search.figures import overview_figure, problem_figure
from hytnas_jax.study_search.folder import Run, StudyFolder
from hytnas_jax.study_search.report import report_markdown
from hytnas_jax.study_search.summary import summarise, summarise_all

OVERVIEW = "all-problems"  # the figure's name, and so not a problem's


def write_results(
    folder: StudyFolder, runs: Sequence[Run], *, budget: StudyBudget, command: str
) -> list[Path]:
    """Write trajectories.csv, report.md, summary.json and the figures; gives their paths."""
    by_problem = summarise(runs, initial=budget.initial)
    everywhere = summarise_all(runs, initial=budget.initial)
    made_with = environment()
    paths = [folder.write_trajectories(runs)]
    report = report_markdown(
        by_problem,
        everywhere,
        budget=budget,
        overview=f"{OVERVIEW}.png",
        command=command,
        environment=made_with,
    )
    paths.append(folder.path / "report.md")
    write_text(paths[-1], report)
    paths.append(folder.path / "summary.json")
    write_json(
        paths[-1],
        {
            "problems": by_problem,
            "all_problems": everywhere,
            "budget": budget,
            "command": command,
            "environment": made_with,
        },
    )
    for problem in by_problem:
        figure = problem_figure(
            problem, [run for run in runs if run.job.problem == problem], initial=budget.initial
        )
        paths.append(folder.path / f"{problem}.png")
        save_figure(paths[-1], figure)
    paths.append(folder.path / f"{OVERVIEW}.png")
    save_figure(paths[-1], overview_figure(runs, initial=budget.initial))
    return paths
