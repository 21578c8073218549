"""The references of a ranking, the estimates beside it, and the report of how well they agree."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator

from hytnas_jax import console
from hytnas_jax.accuracy.estimates import estimates_of
from hytnas_jax.accuracy.reference_table import TABLE, ReferenceJob, ReferenceTable, Trained
from hytnas_jax.accuracy.reference_training import ReferenceTrainer, train_missing
from hytnas_jax.accuracy.references import STEP, longer, longest, planned, read_references, references_of
from hytnas_jax.accuracy.standing import Standing, TrainingBudget
from hytnas_jax.data import Dataset
from hytnas_jax.files.atomic import read_json
from hytnas_jax.numbers import counted
from hytnas_jax.runtime.executor import Executor
from hytnas_jax.shared_flags.jobs import JOB_FLAGS
from hytnas_jax.shared_flags.settings import flags_of, settings_of
from hytnas_jax.study_ranking.bias_table import bias_rows, headers
from hytnas_jax.study_ranking.config import AUTO, EPOCHS, Config, part_of
from hytnas_jax.study_ranking.parts import (
    Begun,
    begin_part,
    merge_parts,
    refuse_other_parts,
    trained_anywhere,
)
from hytnas_jax.study_ranking.results import HEADERS, RankingStudy
from hytnas_jax.study_ranking.written import write_results
from hytnas_jax.training.better_than_chance import Training, doubt
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line, reading


def study_ranking(config: Config) -> None:
    """Train what is missing, estimate, and report; with --part only train."""
    executor = config.make_executor(share_cores=True, on_gpus=True)
    if config.part is not None:
        stack = contextlib.ExitStack()  # `reading` would name --workdir in errors that are not about it
        workdir = stack.enter_context(reading(config.workdir, flag="--workdir"))
        with contextlib.closing(stack):
            train_part(open_project(workdir), config, executor)
        return
    project = open_project(Workdir(config.workdir))
    step = project.workdir.step(STEP)
    find_references(project, step, config, executor)
    references = read_references(project)
    supernet = project.workdir.step("supernet")
    if not supernet.is_done:
        console.say(str(Standing.of(references)))
        console.say("the trained networks are known; the estimates need a supernet")
        console.wrote([step.folder / TABLE], command_line("train_supernet", config.workdir))
        return
    study = RankingStudy.of(
        references, estimates_of(project, references.architectures), project.space, project.task.quality
    )
    _show(study)
    command = f"python -m hytnas_jax.study_ranking {flags_of(config)}"
    paths = write_results(
        project.workdir.path / "ranking", study, command=command, supernet=supernet.done()["id"]
    )
    search = f"{command_line('search', config.workdir)} --objectives {study.objective()} latency_ms"
    console.wrote(paths, search)


def _show(study: RankingStudy) -> None:
    console.table(study.rows(), HEADERS)
    for remark in study.remarks():
        console.say(remark)
    for warning in study.warnings():
        console.warn(warning)
    if study.biases:
        console.table(bias_rows(study.biases), headers(study.biases))
    for sentence in study.where():
        console.say(sentence)


def train_part(project: Project, config: Config, executor: Executor) -> None:
    """Train what no command has trained yet of one part."""
    number, count = part_of(config.part or "")
    epochs = int(config.epochs)
    part = begin_part(project, number, count, _begun(project, config, epochs))
    table = ReferenceTable(part.folder / TABLE, project.space, epochs=epochs)
    jobs, own = _planned(project, config, epochs), table.read()
    done = trained_anywhere(project, epochs)
    mine = [job for job in jobs[number - 1 :: count] if job in own or job not in done]
    if not own.keys() >= set(mine):
        trainer = ReferenceTrainer(project, project.dataset(), _schedule(config, epochs), part.folder)
        train_missing(trainer, table, mine, executor)
    missing = len(set(jobs) - trained_anywhere(project, epochs).keys())
    left = counted(missing, "training is", "trainings are") if missing else "no training is"
    console.say(f"part {number} of {count} has ended; of all {count}, {left} missing")
    merging = command_line("study_ranking", config.workdir)
    console.wrote([part.folder / TABLE], None if missing else merging)


def find_references(project: Project, step: Step, config: Config, executor: Executor) -> None:
    """Train what is missing in the step's `references.csv`; with --epochs auto at ever greater lengths."""
    epochs = _first_length(project, step, config)
    begun = _begun(project, config, epochs)
    refuse_other_parts(step, begun)
    step.begin(begun.settings, begun.inputs, may_grow=("repeated",))
    jobs = _planned(project, config, epochs)
    table = ReferenceTable(step.folder / TABLE, project.space, epochs=epochs)
    merge_parts(project, table, epochs)
    _warn_of_other_lengths(table, epochs, config)
    dataset = functools.cache(project.dataset)  # where there is something to train
    schedule = _schedule(config, epochs)
    for missing in _rounds(table, jobs, config, executor):
        step.go_on()
        trainer = ReferenceTrainer(project, dataset(), schedule, step.folder)
        train_missing(trainer, table, missing, executor)
    if not step.is_done:
        trained = table.read()
        jobs = [job for job in longest(jobs, trained) if job in trained]
        schedule = dataclasses.replace(schedule, epochs=jobs[0].epochs)
        _finish(project, dataset(), jobs, trained, schedule)


def _begun(project: Project, config: Config, epochs: int) -> Begun:
    without = ("part", "max_epochs", "max_hours", *JOB_FLAGS)
    return Begun(settings_of(config, without=without) | {"epochs": epochs}, {"data": project.done_id})


def _planned(project: Project, config: Config, epochs: int) -> list[ReferenceJob]:
    networks, repeated = config.networks, config.repeated
    return planned(project, networks=networks, repeated=repeated, seed=config.seed, epochs=epochs)


def _schedule(config: Config, epochs: int) -> Schedule:
    return Schedule(epochs, config.batch_size, config.learning_rate, config.seed)


def _first_length(project: Project, step: Step, config: Config) -> int:
    """--epochs; where that is auto, what the study began with, or what references that were moved here
    have."""
    if config.epochs != AUTO:
        return int(config.epochs)
    settings, table = step.folder / "settings.json", step.folder / TABLE
    if settings.exists():
        return int(read_json(settings)["settings"]["epochs"])
    moved = ReferenceTable(table, project.space, epochs=None).read() if table.exists() else {}
    return min((job.epochs for job in moved), default=EPOCHS)


def _warn_of_other_lengths(table: ReferenceTable, epochs: int, config: Config) -> None:
    lengths = {job.epochs for job in table.read()}
    if lengths and epochs not in lengths:
        *shorter, last = sorted(lengths)
        console.warn(
            f"--epochs {config.epochs}: {TABLE} has only networks trained for "
            f"{', '.join([*map(str, shorter), counted(last, 'epoch')])}; they are trained anew"
        )


def _rounds(
    table: ReferenceTable, jobs: list[ReferenceJob], config: Config, executor: Executor
) -> Iterator[list[ReferenceJob]]:
    """All jobs of each length at which some are to be trained; the next length when these have been."""
    if config.epochs == AUTO:
        jobs = longest(jobs, table.read())
    while True:
        if not table.read().keys() >= set(jobs):
            yield jobs
        if config.epochs != AUTO or not _goes_on(jobs, table.read(), config, executor):
            return
        jobs = longer(jobs)


def _goes_on(
    jobs: list[ReferenceJob], trained: dict[ReferenceJob, Trained], config: Config, executor: Executor
) -> bool:
    """Whether trained references have to be trained for longer, and may; says so."""
    standing = Standing.of(references_of(jobs, trained))
    if standing.stand:
        return False
    budget = TrainingBudget(config.max_epochs, config.max_hours)
    forbidden = budget.forbids(jobs, trained, processes=executor.at_once)
    if forbidden is not None:
        console.warn(f"{standing}; that is how far it goes: {forbidden}")
        return False
    console.say(f"{standing}; now {2 * standing.epochs} epochs")
    return True


def _finish(
    project: Project,
    dataset: Dataset,
    jobs: list[ReferenceJob],
    trained: dict[ReferenceJob, Trained],
    schedule: Schedule,
) -> None:
    """Mark the step as done, with the jobs of the length that counts."""
    step = project.workdir.step(STEP)
    trainings = [Training(job.architecture.name, step.folder, 1 - trained[job].error) for job in jobs]
    said = doubt(trainings, project, dataset, schedule, at_least=0.5)
    references = references_of(jobs, trained)
    step.finish(
        {
            "networks": len(references.architectures),
            "trainings": len(jobs),
            "epochs": references.epochs,
            "stand": Standing.of(references).stand,
            "doubt": said,
        }
    )
    if said is not None:
        console.warn(said)
