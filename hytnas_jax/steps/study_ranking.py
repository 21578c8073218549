"""The truth of a ranking, the estimates beside it, and the report of how well they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hytnas_jax import console
from hytnas_jax.command import flags_of, settings_of
from hytnas_jax.guessing import Training, doubt
from hytnas_jax.project import Project, open_project
from hytnas_jax.ranking.estimates import estimates_of
from hytnas_jax.ranking.results import HEADERS, Study, write_results
from hytnas_jax.ranking.truth import STEP, TABLE, Trainer, TruthTable, planned, read_truth, train_missing
from hytnas_jax.train_alone import Schedule
from hytnas_jax.workdir import Step, Workdir, command_line

if TYPE_CHECKING:
    from hytnas_jax.study_ranking import Config


def study_ranking(config: Config) -> None:
    """Train what is missing, estimate, and report."""
    project = open_project(Workdir(config.workdir))
    step = project.workdir.step(STEP)
    find_truth(project, step, config)
    supernet = project.workdir.step("supernet")
    if not supernet.is_done:
        console.say("the truth is known; the estimates need a supernet")
        console.wrote([step.folder / TABLE], command_line("train_supernet", config.workdir))
        return
    truth = read_truth(project)
    study = Study.of(truth, estimates_of(project, truth.architectures))
    console.table(study.rows(), HEADERS)
    for remark in study.remarks():
        console.say(remark)
    for warning in study.warnings():
        console.warn(warning)
    command = f"python -m hytnas_jax.study_ranking {flags_of(config)}"
    paths = write_results(
        project.workdir.path / "ranking", study, command=command, supernet=supernet.done()["id"]
    )
    search = f"{command_line('search', config.workdir)} --objectives {study.objective()} latency_ms"
    console.wrote(paths, search)


def find_truth(project: Project, step: Step, config: Config) -> None:
    """Train what is missing in the step's `truth.csv`."""
    step.begin(
        settings_of(config, without=("processes",)),
        {"data": project.done_id},
        may_grow=("repeated",),
    )
    if step.is_done:
        return
    jobs = planned(project, networks=config.networks, repeated=config.repeated, seed=config.seed)
    schedule = Schedule(config.epochs, config.batch_size, config.learning_rate, config.seed)
    dataset = project.dataset()
    trainer = Trainer(project, dataset, schedule, step.folder)
    table = TruthTable(step.folder / TABLE, project.space)
    train_missing(trainer, table, jobs, processes=config.processes)
    trained = table.read()
    trainings = [Training(job.architecture.name, step.folder, 1 - trained[job].error) for job in jobs]
    said = doubt(trainings, dataset, schedule, mirror=project.mirror, at_least=0.5)
    step.finish({"networks": config.networks, "trainings": len(jobs), "doubt": said})
    if said is not None:
        console.warn(said)
