"""The supernet of a work folder, and the error of its subnets."""

import functools
from collections.abc import Callable

import jax

from hytnas_jax.data import Dataset
from hytnas_jax.runtime.hardware import compute_dtype
from hytnas_jax.training.evaluation_images import evaluation_images
from hytnas_jax.training.loop import restore
from hytnas_jax.workspace.project import Project
from proxies.supernet_accuracy import SupernetError
from supernet import training
from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.subnet import slice_subnet
from supernet.supernet import SupernetModel, supernet


def load_supernet(project: Project) -> tuple[SupernetModel, Tree]:
    """The trained supernet of a work folder: its functions and its averaged parameters."""
    step = project.workdir.step("supernet")
    step.require("train_supernet")
    model = supernet_model(project)
    shapes = jax.eval_shape(
        functools.partial(training.init, training.Recipe(num_steps=1)), model.abstract_params
    )
    num_steps = step.done()["summary"]["steps"]
    return model, training.weights(model, restore(step.folder, shapes, step=num_steps).ema)


def shared_weights(project: Project) -> Callable[[Architecture], Tree]:
    """Cuts an architecture's parameters out of the supernet's."""
    model, params = load_supernet(project)
    blank = model.no_stats()
    return lambda architecture: slice_subnet(project.space, architecture, params, blank)[1]


def supernet_error(project: Project) -> SupernetError:
    """The error on the validation split; the training split calibrates, the test split is not touched."""
    model, params = load_supernet(project)
    return subnet_error(project, project.dataset(), model, params)


def subnet_error(
    project: Project,
    dataset: Dataset,
    model: SupernetModel,
    params: Tree,
    on_evaluated: Callable[[], None] = lambda: None,
) -> SupernetError:
    """The error of subnets on the validation split; `on_evaluated` is called after each."""
    return SupernetError(
        project.space,
        model,
        params,
        evaluation_images(project, dataset),
        on_evaluated=on_evaluated,
        scoring=project.task.scoring,
    )


def supernet_model(project: Project) -> SupernetModel:
    return supernet(
        project.space, channels=project.channels, num_classes=project.num_classes, dtype=compute_dtype()
    )
