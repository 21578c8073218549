"""Training one network of the space on its own: the same for retraining and for the references of a
ranking."""

import contextlib
import dataclasses
import functools
import io
import shutil
from pathlib import Path
from typing import Any

import jax

from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.runtime import mesh
from hytnas_jax.runtime.hardware import compute_dtype
from hytnas_jax.tasks import Examined
from hytnas_jax.training.evaluation_images import calibration_images, images_for
from hytnas_jax.training.loop import train_loop
from hytnas_jax.training.order import Order
from hytnas_jax.training.outputs import Outputs
from hytnas_jax.training.step import augmented_step, step_key
from hytnas_jax.workspace.project import Project
from proxies.evaluation.alone import summarise_alone
from supernet import training
from supernet.calibration import calibrate
from supernet.model import Model, Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long, how fast and in which order: epochs, images in a step, peak learning rate, seed."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int

    def steps(self, num_images: int) -> int:
        """Training steps with so many images."""
        return max(1, self.epochs * num_images // self.batch_size)

    def order(self, num_images: int) -> Order:
        """Which of so many images each step sees."""
        return Order(self.seed, num_images, self.batch_size, self.steps(num_images))


def train_alone(
    project: Project,
    dataset: Dataset,
    spec: NetworkSpec,
    schedule: Schedule,
    *,
    start: Tree | None,
    folder: Path,
    label: str,
) -> tuple[Tree, Tree]:
    """Train on the training split, going on from `folder`'s checkpoints; gives parameters and statistics.

    `start` are the parameters to begin with, None for random ones. The parameters are the averaged ones, the
    BatchNorm statistics are calibrated for them.
    """
    mesh.require_divisible(schedule.batch_size)
    model = stand_alone(spec, dtype=compute_dtype())
    params, stats = model.init(jax.random.key(schedule.seed))
    num_steps = schedule.steps(len(dataset.train))
    recipe = training.Recipe(num_steps=num_steps, learning_rate=schedule.learning_rate)
    state = train_loop(
        _step_function(project, dataset, model, recipe, spec.resolution, schedule),
        training.init(recipe, params if start is None else start),
        num_steps=num_steps,
        folder=folder,
        label=label,
        chance_loss=project.task.chance_loss,
    )
    calibration = calibration_images(project, dataset.train, spec.resolution)
    params = training.weights(model, state.ema)
    return params, jax.jit(functools.partial(calibrate, model))(params, stats, calibration)


def train_and_evaluate(
    project: Project,
    dataset: Dataset,
    spec: NetworkSpec,
    schedule: Schedule,
    *,
    start: Tree | None,
    folder: Path,
    label: str,
) -> tuple[float, float]:
    """`error_and_loss` on the validation split of a network that `train_alone` trains; nothing of it is kept.

    It prints nothing: of several processes that train at once, the command shows one bar for all.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        weights = train_alone(project, dataset, spec, schedule, start=start, folder=folder, label=label)
    result = error_and_loss(project, dataset, spec, weights, dataset.validation)
    shutil.rmtree(folder)
    return result


def error_and_loss(
    project: Project, dataset: Dataset, spec: NetworkSpec, weights: tuple[Tree, Tree], images: LabelledImages
) -> tuple[float, float]:
    """Error rate, and mean loss in nats, of a trained network on one split's images, as a supernet's subnets
    are evaluated."""
    evaluated, scoring = images_for(project, dataset.train, images, spec.resolution), project.task.scoring
    summarise = functools.partial(summarise_alone, stand_alone(spec), scoring=scoring)
    error, loss = scoring.score(jax.device_get(jax.jit(summarise)(*weights, evaluated)))
    return float(error), float(loss)


def examine(
    project: Project, spec: NetworkSpec, weights: tuple[Tree, Tree], images: LabelledImages
) -> tuple[Examined, Outputs]:
    """What is told of a trained network on one split's images in the end, and its outputs for them."""
    outputs = Outputs(project, spec, weights, images)
    return project.task.examine(outputs), outputs


def _step_function(
    project: Project,
    dataset: Dataset,
    model: Model,
    recipe: training.Recipe,
    resolution: int,
    schedule: Schedule,
) -> Any:
    train = augmented_step(project, model, recipe, dataset.train, schedule.order(len(dataset.train)))

    def step_function(state: training.TrainState, number: int, attempt: int) -> Any:
        key = step_key(schedule.seed, attempt, number)
        return train(state, key, (number, attempt), None, resolution=resolution)

    return step_function
