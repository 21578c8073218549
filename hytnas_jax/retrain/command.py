"""Retraining networks stand-alone, one after the other; the test split is read once, at the end.

A choice depends on what became of those before it, and is on the disk before its training begins: the same
command goes on with the network that was cut, and comes to the same choices.
"""

from collections.abc import Sequence

from hytnas_jax import console
from hytnas_jax.retrain.archive import load_archive
from hytnas_jax.retrain.config import Config
from hytnas_jax.retrain.front import retrain_front
from hytnas_jax.retrain.networks import Retraining
from hytnas_jax.retrain.results import show
from hytnas_jax.retrain.trainer import Trainer
from hytnas_jax.runtime import mesh, process_group
from hytnas_jax.shared_flags.jobs import JOB_FLAGS
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.training.better_than_chance import Training, doubt
from hytnas_jax.training.length import length_of
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir, command_line
from supernet.errors import UserError
from supernet.named import NAMES
from supernet.network_spec import NetworkSpec

EPOCHS = 20  # at least, where nothing else is asked for


def retrain(config: Config) -> None:
    """Retrain networks until no other is worth it or the budget is spent, then test all of them."""
    if config.batch_size is not None:
        mesh.require_divisible(config.batch_size)
    workdir = Workdir(config.workdir)
    step, next_command = workdir.step("retrain"), command_line("export", config.workdir)
    with process_group.lead_first("retraining begun"):
        project = open_project(workdir)
        inputs = {"search": workdir.step("search").require("search")["id"]}
        published = _published(project, config.named)
        length = length_of(
            project,
            epochs=config.epochs,
            batch_size=config.batch_size,
            usual=EPOCHS,
            least_steps=project.task.pace.least_steps,
        )
        mesh.require_divisible(length.batch_size)
        count = config.count or project.task.pace.most_networks
        settings = settings_of(config, without=("hosts", "stall_minutes", *JOB_FLAGS))
        step.begin({**settings, **length._asdict(), "count": count}, inputs, may_grow=("count",))
        is_done = step.is_done
    if is_done:
        console.say(f"the networks in {step.folder} are retrained already")
        console.wrote([], next_command)
        return
    archive, dataset = load_archive(project), project.dataset()
    schedule = Schedule(*length, config.learning_rate, config.seed)
    trainer = Trainer(project, dataset, step.folder, schedule, config.start)
    retraining = Retraining(trainer, config.make_retraining_executor())
    trained, stopped = retrain_front(retraining, archive, step, config, count)
    console.say(stopped)
    trained += retraining.train_published(published)
    with console.progress(trained, "testing the retrained networks") as bar:
        tested = [retraining.test(network) for network in bar]
    folders = [step.folder / network.name for network in trained]
    trainings = [Training(n.name, folder, 1 - n.error) for n, folder in zip(trained, folders, strict=True)]
    said = process_group.of_lead("doubt", lambda: doubt(trainings, project, dataset, schedule))
    images = len(dataset.validation)
    summary = show(archive, trained, tested, measure=project.task.measure, images=images)
    if said is not None:
        console.warn(said)
    step.finish(summary | {"stopped": stopped, "doubt": said})
    console.wrote(folders, next_command)


def _published(project: Project, names: Sequence[str]) -> list[NetworkSpec]:
    """Published networks for the project's images.

    Raises UserError for a name that is not known, or whose network cannot take images of that side.
    """
    side, specs = max(project.space.resolution), list[NetworkSpec]()
    for name in dict.fromkeys(names):
        try:
            specs.append(project.published(name, side))
        except UserError as error:
            if name not in NAMES:
                raise
            raise UserError(
                f"--named {name}: {error}; the resolution is the largest of the search, so leave {name} out "
                "or search at another one in another work folder"
            ) from None
    return specs
