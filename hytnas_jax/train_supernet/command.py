"""Training the weight-sharing network over a search space, and reading it back."""

from typing import Any

import jax
import numpy as np

from hytnas_jax import console
from hytnas_jax.data import Dataset
from hytnas_jax.data.loading import available_memory
from hytnas_jax.numbers import counted
from hytnas_jax.runtime import compiling, mesh, process_group
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.tasks.small_boxes import small_boxes
from hytnas_jax.train_supernet.config import Config
from hytnas_jax.training.better_than_chance import Training, doubt
from hytnas_jax.training.checkpoints import Checkpoints
from hytnas_jax.training.init_from import InitialSupernet, find_initial_supernet
from hytnas_jax.training.length import length_of
from hytnas_jax.training.loop import train_loop
from hytnas_jax.training.stand_alone import Schedule
from hytnas_jax.training.step import augmented_step, step_key
from hytnas_jax.training.supernet import load_supernet, subnet_error, supernet_model
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Step, Workdir, command_line
from supernet import training
from supernet.errors import UserError
from supernet.inheritance import inherited, is_head_inherited
from supernet.model import Model, Tree
from supernet.sampling import sandwich
from supernet.space_memory import BYTES_OF_WEIGHT, num_weights
from supernet.space_size import num_networks
from supernet.supernet import SupernetModel, controls

EPOCHS = 30  # at least, where nothing else is asked for
NUM_REPORTED = 8  # random subnets evaluated at the end


def train_supernet(config: Config) -> None:
    """Train, or go on training, and say how good the subnets are."""
    if config.batch_size is not None:
        mesh.require_divisible(config.batch_size)
    workdir = Workdir(config.workdir)
    step = workdir.step("supernet")
    with process_group.lead_first("supernet begun"):
        initial = find_initial_supernet(config.init_from, workdir)
        project, dataset = create_project(
            workdir,
            config,
            seed=config.seed,
            space_for=None if initial is None else initial.space_for,
        )
        schedule = _schedule(project, config)
        mesh.require_divisible(schedule.batch_size)
        _begin(step, project, initial, config, schedule)
        is_done = step.is_done
    next_command = command_line("measure_latency", config.workdir)
    if is_done:
        done = _describe(step.done()["summary"], project.task.quality)
        console.say(f"the supernet in {step.folder} is trained already: {done}")
        console.wrote([], next_command)
        return
    _check_memory(project)
    model = supernet_model(project)
    num_steps = schedule.steps(len(dataset.train))
    recipe = training.Recipe(num_steps=num_steps, learning_rate=schedule.learning_rate)
    _say_what_is_trained(project, schedule)
    _warn_of_small_boxes(project, dataset)
    state = train_loop(
        _step_function(project, dataset, model, recipe, schedule, config.random_subnets),
        training.init(recipe, _first_params(step, model, initial, config.seed)),
        num_steps=num_steps,
        folder=step.folder,
        label="training the supernet",
        chance_loss=project.task.chance_loss,
    )
    params = training.weights(model, state.ema)
    summary = process_group.of_lead(
        "evaluated", lambda: _evaluate(project, dataset, model, params, config.seed)
    )
    if not process_group.is_lead():
        return
    said = doubt(
        [Training("the supernet's largest network", step.folder, summary["largest_accuracy"])],
        project,
        dataset,
        schedule,
    )
    origins = () if initial is None else initial.origins
    step.finish({**summary, "steps": num_steps, "doubt": said, "begun_with": origins})
    console.say(_describe(summary, project.task.quality))
    if said is not None:
        console.warn(said)
    console.wrote([step.folder / "checkpoints", step.folder / "metrics.jsonl"], next_command)


def _schedule(project: Project, config: Config) -> Schedule:
    """What was asked for; and where nothing was, what suits the task, the images and the space."""
    length = length_of(
        project,
        epochs=config.epochs,
        batch_size=config.batch_size,
        usual=EPOCHS,
        least_steps=project.task.pace.least_steps // 2,  # each trains several networks
    )
    rate = config.learning_rate or project.task.pace.supernet_rate(num_weights(project.space))
    return Schedule(*length, rate, config.seed)


def _say_what_is_trained(project: Project, schedule: Schedule) -> None:
    images = project.num_training_images
    console.say(
        f"{images} training images, {counted(project.num_classes, 'class', 'classes')}; space "
        f"{project.space.name!r}, {counted(num_networks(project.space), 'network', form='.3g')}, at "
        f"{' and '.join(map(str, project.space.resolution))} pixels; "
        f"{counted(schedule.steps(images), 'step')} of {counted(schedule.batch_size, 'image')}, "
        f"learning rate {schedule.learning_rate:.2g}"
    )


def _warn_of_small_boxes(project: Project, dataset: Dataset) -> None:
    head = project.space.dense_head
    said = None if head is None else small_boxes(dataset, max(project.space.resolution), head.stride)
    if said is not None:
        console.warn(said)


def _begin(
    step: Step, project: Project, initial: InitialSupernet | None, config: Config, schedule: Schedule
) -> None:
    """Note what the supernet is made with, or refuse what it was not begun with."""
    noted = {} if initial is None else initial.settings
    length = {"epochs": schedule.epochs, "batch_size": schedule.batch_size}
    settings = settings_of(config, without=("init_from", "hosts", "stall_minutes", *config.data_flags()))
    step.begin({**settings, **length, **noted}, {"data": project.done_id})
    if initial is not None:
        initial.note(step)


def _first_params(step: Step, model: Model, initial: InitialSupernet | None, seed: int) -> Tree:
    """Random ones, or those of the initial supernet; where the training goes on, they are not looked at."""
    params, _ = model.init(jax.random.key(seed))
    if initial is None or Checkpoints(step.folder / "checkpoints").steps():
        return params
    with initial.opened(step) as project:
        theirs = load_supernet(project)[1]
    new = "a new classifier" if is_head_inherited(theirs, params) else "a new head"
    console.say(f"begins with the supernet of {initial.origins[0].in_words()}, and {new}")
    return inherited(theirs, params)


def _check_memory(project: Project) -> None:
    """Raises UserError where the weights, in training, are more than this machine can still hold."""
    needed, available = num_weights(project.space) * BYTES_OF_WEIGHT, available_memory()
    if available is not None and needed > available:
        raise UserError(
            f"--space {project.space.name}: the supernet has about {num_weights(project.space):.2g} weights, "
            f"which need {needed / 1e9:.1f} GB in training, and {available / 1e9:.1f} GB of memory are "
            "available; give smaller widths, expansions or depths"
        )


def _step_function(
    project: Project,
    dataset: Dataset,
    model: Model,
    recipe: training.Recipe,
    schedule: Schedule,
    num_random: int,
) -> Any:
    train = augmented_step(project, model, recipe, dataset.train, schedule.order(len(dataset.train)))

    def step_function(state: training.TrainState, number: int, attempt: int) -> Any:
        rng = np.random.default_rng([schedule.seed, attempt, number])
        resolution = int(rng.choice(project.space.resolution))
        subnets = sandwich(project.space, rng, num_random=num_random, resolution=resolution)
        key = step_key(schedule.seed, attempt, number)
        return train(state, key, (number, attempt), controls(project.space, subnets), resolution=resolution)

    return step_function


def _evaluate(
    project: Project, dataset: Dataset, model: SupernetModel, params: Tree, seed: int
) -> dict[str, Any]:
    """Qualities (1 - error) on the validation split of the largest, the smallest and some random subnets."""
    rng = np.random.default_rng([seed, 1])
    resolution = max(project.space.resolution)
    subnets = sandwich(project.space, rng, num_random=NUM_REPORTED, resolution=resolution)
    with console.progress(len(subnets), "evaluating subnets", apart=compiling.seconds) as bar:
        evaluate = subnet_error(project, dataset, model, params, bar.advance)
        accuracies = 1 - evaluate(subnets)
    return {
        "largest_accuracy": float(accuracies[0]),
        "smallest_accuracy": float(accuracies[1]),
        "random_accuracies": accuracies[2:].tolist(),
    }


def _describe(summary: dict[str, Any], quality: str) -> str:
    return (
        f"{quality} on the validation split, before any retraining: largest subnet "
        f"{summary['largest_accuracy']:.3f}, smallest {summary['smallest_accuracy']:.3f}, "
        f"median of {len(summary['random_accuracies'])} random ones "
        f"{np.median(summary['random_accuracies']):.3f}"
    )
