"""Retraining networks stand-alone, one after the other; the test split is read once, at the end.

A choice depends on what became of those before it, and is on the disk before its training begins: the same
command goes on with the network that was cut, and comes to the same choices.
"""

from collections.abc import Callable, Sequence

from hytnas_jax import console
from hytnas_jax.numbers import counted, percent
from hytnas_jax.retrain.archive import Archive, load_archive
from hytnas_jax.retrain.config import Config
from hytnas_jax.retrain.forecast import as_sure_as
from hytnas_jax.retrain.networks import Became, Retraining
from hytnas_jax.retrain.next_network import Next, Succession
from hytnas_jax.retrain.results import off_the_front, show
from hytnas_jax.runtime import mesh, roles
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.training.chance import Training, doubt
from hytnas_jax.training.length import length_of
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.training.supernet import load_supernet
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.model import Tree
from supernet.named import NAMES
from supernet.network_spec import NetworkSpec
from supernet.subnet import slice_subnet

EPOCHS = 20  # at least, where nothing else is asked for


def retrain(config: Config) -> None:
    """Retrain networks until no other is worth it or the budget is spent, then test all of them."""
    if config.batch_size is not None:
        mesh.require_divisible(config.batch_size)
    workdir = Workdir(config.workdir)
    step, next_command = workdir.step("retrain"), command_line("export", config.workdir)
    with roles.lead_first("retraining begun"):
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
        step.begin({**settings_of(config, without=("hosts", "stall_minutes")), **length._asdict()}, inputs)
        is_done = step.is_done
    if is_done:
        console.say(f"the networks in {step.folder} are retrained already")
        console.wrote([], next_command)
        return
    archive, dataset = load_archive(project), project.dataset()
    schedule = Schedule(*length, config.learning_rate, config.seed)
    inherited = shared_weights(project) if config.start == "supernet" else None
    retraining = Retraining(project, dataset, step.folder, schedule, inherited)
    became, stopped = _retrain_front(retraining, archive, step, config)
    console.say(stopped)
    for spec in published:
        became.append(retraining.train_published(spec))
    with console.progress(became, "testing the retrained networks") as bar:
        tested = [retraining.test(network) for network in bar]
    folders = [step.folder / network.name for network in became]
    trainings = [Training(n.name, folder, 1 - n.error) for n, folder in zip(became, folders, strict=True)]
    said = roles.of_lead("doubt", lambda: doubt(trainings, project, dataset, schedule))
    images = len(dataset.validation)
    summary = show(archive, became, tested, measure=project.task.measure, images=images)
    if said is not None:
        console.warn(said)
    step.finish(summary | {"stopped": stopped, "doubt": said})
    console.wrote(folders, next_command)


def _retrain_front(
    retraining: Retraining, archive: Archive, step: Step, config: Config
) -> tuple[list[Became], str]:
    """Retrain networks of the search, first those that were begun; gives them, and why there are no more."""
    succession = Succession(archive)
    with roles.lead_first("networks that were begun"):
        begun = retraining.begun(archive)
    most, became = min(config.count, len(archive)), list[Became]()
    while len(became) < config.count:
        if len(became) < len(begun):
            chosen = begun[len(became)]
        else:
            following = _next(succession, len(retraining.dataset.validation), became, step, config)
            if isinstance(following, str):
                return became, following
            chosen = following
        became.append(retraining.train(archive, chosen, number=len(became) + 1, most=most))
        if len(became) > len(begun):
            off_the_front(archive, became, retraining.project.task.measure)
    return became, f"{_retrained(became)}: no more than --count"


def _next(
    succession: Succession, images: int, became: list[Became], step: Step, config: Config
) -> Next | str:
    """The network to retrain next, or why there is none."""
    minutes = config.max_minutes
    if became and minutes is not None and roles.of_lead("seconds", step.seconds) >= 60 * minutes:
        spent = counted(minutes, "minute is", "minutes are", form="g")
        return f"no further network is begun: {spent} spent (--max-minutes)"
    errors = {network.chosen.row: network.error for network in became if network.chosen is not None}
    deviations = {network.chosen.row: network.deviation for network in became if network.chosen is not None}
    following = succession.next(errors, as_sure_as(errors, deviations, images))
    if following is None:
        return f"{_retrained(became)}: all that the search has"
    if following.gain is not None and following.gain < config.least_gain:
        return (
            f"no further network is begun: the best is expected to add {percent(following.gain)} to the "
            f"front (--least-gain {config.least_gain:g})"
        )
    return following


def _retrained(became: list[Became]) -> str:
    return f"{counted(len(became), 'network is', 'networks are')} retrained"


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


def shared_weights(project: Project) -> Callable[[Architecture], Tree]:
    """Cuts an architecture's parameters out of the supernet's."""
    model, params = load_supernet(project)
    blank = model.no_stats()
    return lambda architecture: slice_subnet(project.space, architecture, params, blank)[1]
