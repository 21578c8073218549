"""A network that is trained by one recipe after the other, in the same compiled programs.

Letters: P parameters.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib

from benchmarks.accuracy.recipes.optimizers import Numbers, compiled_optimizer
from benchmarks.accuracy.recipes.recipe import Recipe
from hytnas_jax.data import Dataset, augment, batches
from hytnas_jax.training.evaluation_images import images_for
from hytnas_jax.training.step import step_key
from hytnas_jax.workspace.project import Project
from proxies.evaluation.alone import summarise_alone
from proxies.evaluation.classification import CLASSIFICATION
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.flat import flatten, unflatten
from supernet.model import Model
from supernet.network import stand_alone


class Trainee:
    """A network with its compiled gradient, its compiled optimisers, and what evaluates it."""

    def __init__(self, project: Project, dataset: Dataset, network: Architecture) -> None:
        self.network, self._dataset = network, dataset
        spec = project.to_spec(network)
        self._model = stand_alone(spec)
        self._gradient = gradient_of(self._model, project, spec.resolution)
        self._evaluate = evaluator_of(
            self._model, images_for(project, dataset.train, dataset.validation, spec.resolution)
        )
        self._optimizers: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}

    def train(self, recipe: Recipe, seed: int, *, steps: int, batch_size: int) -> tuple[float, float]:
        """Error rate and loss, on the validation split, of the averaged weights after the last step."""
        vector = flatten(self._model.init(jax.random.key(seed))[0])
        begin, update = self._optimizer(recipe.optimizer)
        state, average = begin(vector), jnp.copy(vector)
        batch = max(2, round(batch_size * recipe.batch))
        rates = recipe.rates(round(steps * batch_size / batch))
        for number, rate in enumerate(rates):
            rows = batches(seed, len(self._dataset.train), batch, step=number)
            images, labels = self._dataset.train.images[rows], self._dataset.train.labels[rows]
            key = step_key(seed, 0, number)
            gradient = self._gradient(vector, key, images, labels, recipe.smoothing, crop=recipe.crop)
            past = min(recipe.ema, (1 + number) / (10 + number))
            numbers = Numbers(rate, recipe.decay, recipe.clip, past)
            vector, average, state = update(gradient, state, vector, average, numbers)
        error, loss = self._evaluate(average)
        return float(error), float(loss)

    def _optimizer(self, kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
        if kind not in self._optimizers:
            self._optimizers[kind] = compiled_optimizer(self._model, kind)
        return self._optimizers[kind]


def gradient_of(model: Model, project: Project, resolution: int) -> Callable[..., jax.Array]:
    """`gradient(vector [P], key, images, labels, smoothing, crop=) -> [P]`, of the smoothed cross-entropy."""

    @functools.partial(jax.jit, static_argnames="crop")
    def gradient(vector: Any, key: Any, images: Any, labels: Any, smoothing: Any, *, crop: bool) -> jax.Array:
        like: dict[str, Any] = {"resolution": resolution, "mean": project.mean, "std": project.std}
        inputs = augment(key, images, **like, mirror=project.mirror, crop=crop)
        target = optax.smooth_labels(jax.nn.one_hot(labels, project.num_classes), smoothing)

        def loss(vector: jax.Array) -> jax.Array:
            params = unflatten(model.abstract_params, vector)
            logits, _ = model.apply(params, model.no_stats(), inputs, train=True)
            return jnp.mean(optax.softmax_cross_entropy(logits, target))

        return jax.grad(loss)(vector)

    return gradient


def evaluator_of(model: Model, images: Any) -> Callable[[jax.Array], np.ndarray]:
    """`evaluate(vector [P]) -> error rate, loss` with BatchNorm statistics calibrated for it."""
    images = jax.device_put(images)

    @jax.jit
    def summarise(vector: jax.Array, images: Any) -> Any:
        params = unflatten(model.abstract_params, vector)
        stats = calibrate(model, params, model.no_stats(), images.calibration)
        return summarise_alone(model, params, stats, images, CLASSIFICATION)

    return lambda vector: CLASSIFICATION.score(jax.device_get(summarise(vector, images)))
