"""The truth of a ranking, the estimates beside it, and the report of how well they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hytnas_jax import console
from hytnas_jax.command import flags_of, settings_of
from hytnas_jax.project import Project, open_project
from hytnas_jax.ranking.estimates import estimates_of
from hytnas_jax.ranking.results import HEADERS, Study, truth_of, write_results
from hytnas_jax.ranking.sample import draw_over_cost, repeated
from hytnas_jax.ranking.truth import Job, Trainer, TruthTable, train_missing
from hytnas_jax.train_alone import Schedule
from hytnas_jax.workdir import Step, Workdir, command_line
from proxies.complexity import num_macs

if TYPE_CHECKING:
    from hytnas_jax.study_ranking import Config


def study_ranking(config: Config) -> None:
    """Train what is missing, estimate, and report."""
    project = open_project(Workdir(config.workdir))
    step = project.workdir.step("truth")
    jobs = find_truth(project, step, config)
    table = TruthTable(step.folder / "truth.csv", project.space)
    truth = truth_of(jobs, table.read(), config.seed)
    supernet = project.workdir.step("supernet")
    if not supernet.is_done:
        console.say("the truth is known; the estimates need a supernet")
        console.wrote([step.folder / "truth.csv"], command_line("train_supernet", config.workdir))
        return
    study = Study.of(truth, estimates_of(project, truth.architectures))
    console.table(study.rows(), HEADERS)
    for remark in study.remarks():
        console.say(remark)
    command = f"python -m hytnas_jax.study_ranking {flags_of(config)}"
    paths = write_results(project.workdir.path / "ranking", study, command=command)
    console.wrote(paths, command_line("search", config.workdir))


def find_truth(project: Project, step: Step, config: Config) -> list[Job]:
    """The trainings, all of which are in the step's `truth.csv` when this returns."""
    step.begin(
        settings_of(config, without=("processes",)),
        {"data": project.done_id},
        may_grow=("repeated",),
    )
    networks = draw_over_cost(
        project.space, num_macs(project.to_spec), count=config.networks, seed=config.seed
    )
    again = repeated(networks, config.repeated)
    jobs = [Job(config.seed, network) for network in networks]
    jobs += [Job(config.seed + 1, network) for network in again]
    if step.is_done:
        return jobs
    schedule = Schedule(config.epochs, config.batch_size, config.learning_rate, config.seed)
    trainer = Trainer(project, project.dataset(), schedule, step.folder)
    table = TruthTable(step.folder / "truth.csv", project.space)
    train_missing(trainer, table, jobs, processes=config.processes)
    step.finish({"networks": len(networks), "repeated": len(again)})
    return jobs
