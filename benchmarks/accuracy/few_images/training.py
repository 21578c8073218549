"""Networks and supernets trained on few images, by each of the `WAYS`.

Letters: B batch, R resolution, C channels, K classes.
"""

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.accuracy.few_images.augmented import KINDS, augmented
from benchmarks.accuracy.few_images.config import Config
from benchmarks.accuracy.recipes.optimizers import Numbers, compiled_optimizer
from benchmarks.accuracy.recipes.recipe import Recipe
from hytnas_jax import console, train_supernet
from hytnas_jax.data import Dataset, LabelledImages, batches, prepare
from hytnas_jax.data.labelled import channel_statistics
from hytnas_jax.data.splits import quotas
from hytnas_jax.files.atomic import write_bytes
from hytnas_jax.training.evaluation_images import BATCH, NUM_CALIBRATION_BATCHES
from hytnas_jax.training.step import step_key
from hytnas_jax.training.supernet import load_supernet
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.evaluation.base import in_batches
from proxies.evaluation.classification import CLASSIFICATION
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.flat import flatten, unflatten
from supernet.model import Model, Tree
from supernet.network import stand_alone
from supernet.subnet import slice_subnet

PLAIN = KINDS[0]
SUPERNETS = ("supernet", "begun supernet")
HOWS = ("as cut", "trained on", "trained on by cutmix")
WAYS = (*KINDS, *(f"{weights}, {how}" for weights in SUPERNETS for how in HOWS))
EVALUATED = 200  # images of each split that a supernet's own work folder has


class Few:
    """A draw of few training images, uint8 [N, S, S, C], with their own statistics by channel [C]."""

    def __init__(self, images: LabelledImages, seed: int) -> None:
        self.images, self.seed, self.size = images, seed, len(images)
        mean, std = channel_statistics(images.images)
        self.mean, self.std = np.array(mean, np.float32), np.array(std, np.float32)


def draw(images: LabelledImages, size: int, seed: int) -> Few:
    """So many images, each class in its proportion; a larger draw contains the smaller ones of its seed."""
    rng, places = np.random.default_rng(seed), []
    counts = np.bincount(images.labels)
    for label, share in enumerate(quotas(counts, size)):
        places.append(rng.permutation(np.flatnonzero(images.labels == label))[:share])
    chosen = np.concatenate(places)
    return Few(LabelledImages(images.images[chosen], images.labels[chosen]), seed)


class Trainee:
    """A network with its compiled gradient, its optimiser and what evaluates it."""

    def __init__(self, project: Project, dataset: Dataset, network: Architecture, config: Config) -> None:
        self._project, self._dataset, self._config, self._network = project, dataset, config, network
        self._model = stand_alone(project.to_spec(network))
        self._gradient = gradient_of(self._model)
        self._begin, self._update = compiled_optimizer(self._model, "adam")
        self._evaluate = evaluator_of(self._model, dataset.validation, config.resolution)

    def by(self, way: str, few: Few) -> tuple[float, float]:
        """Error rate and loss on the validation split."""
        weights, _, how = way.partition(", ")
        if not how:
            return self._trained(flatten(self._model.init(jax.random.key(few.seed))[0]), way, few)
        vector = flatten(cut_out(self._network, self._supernet(weights, few)))
        if how == "as cut":
            return self._evaluated(vector, few)
        return self._trained(vector, how.rpartition(" by ")[2] if " by " in how else PLAIN, few)

    def _trained(self, vector: jax.Array, kind: str, few: Few) -> tuple[float, float]:
        """Evaluated are the averaged weights after the last step."""
        config, recipe = self._config, Recipe(rate=self._config.learning_rate, decay=0.1)
        state, average = self._begin(vector), jnp.copy(vector)
        for number, rate in enumerate(recipe.rates(config.steps)):
            rows = batches(few.seed, few.size, config.batch_size, step=number)
            key = step_key(few.seed, 0, number)
            images, labels = few.images.images[rows], few.images.labels[rows]
            inputs, target = augmented(
                key,
                images,
                labels,
                few.mean,
                few.std,
                kind=kind,
                resolution=config.resolution,
                mirror=self._project.mirror,
                classes=self._project.num_classes,
            )
            gradient = self._gradient(vector, inputs, target)
            past = min(recipe.ema, (1 + number) / (10 + number))
            numbers = Numbers(rate, recipe.decay, recipe.clip, past)
            vector, average, state = self._update(gradient, state, vector, average, numbers)
        return self._evaluated(average, few)

    def _evaluated(self, vector: jax.Array, few: Few) -> tuple[float, float]:
        rng, num = np.random.default_rng(few.seed), BATCH * NUM_CALIBRATION_BATCHES
        rows = np.resize(rng.permutation(few.size), num)  # images again, where there are not so many
        images = few.images.images[rows].reshape(-1, BATCH, *few.images.images.shape[1:])
        error, loss = self._evaluate(vector, images, few.mean, few.std)
        return float(error), float(loss)

    def _supernet(self, weights: str, few: Few) -> Project:
        """The work folder of a supernet that was trained on these images, made where it is missing."""
        config, folder = self._config, self._config.workdir / "few_images"
        workdir = folder / f"{weights.replace(' ', '-')}-{few.size}-{few.seed}"
        data = folder / f"{few.size}-{few.seed}.npz"
        if not data.exists():
            save_few(data, few, self._dataset)
        if not (workdir / "supernet" / "done.json").exists():
            wanted = train_supernet.Config(
                workdir,
                data=str(data),
                space=config.space,
                resolutions=(config.resolution,),
                mirror="on" if self._project.mirror else "off",
                epochs=-(-config.supernet_steps * config.batch_size // few.size),
                batch_size=config.batch_size,
                learning_rate=config.learning_rate,
                init_from=config.init_from if weights == SUPERNETS[1] else None,
                seed=few.seed,
            )
            with console.without_next():
                train_supernet.main(wanted)
        return open_project(Workdir(workdir))


def cut_out(network: Architecture, project: Project) -> Tree:
    """A network's part of a supernet's parameters."""
    model, params = load_supernet(project)
    return slice_subnet(project.space, network, params, model.no_stats())[1]


def save_few(path: Path, few: Few, dataset: Dataset) -> None:
    """As a data set of its own. Of the images to evaluate on a few are enough: nobody looks at that error."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"x_train": few.images.images, "y_train": few.images.labels}
    for split, images in (("val", dataset.validation), ("test", dataset.test)):
        arrays |= {f"x_{split}": images.images[:EVALUATED], f"y_{split}": images.labels[:EVALUATED]}
    np.savez(buffer, class_names=np.array(dataset.class_names), **arrays)
    write_bytes(path, buffer.getvalue())


def gradient_of(model: Model) -> Callable[..., jax.Array]:
    """`gradient(vector [P], inputs [B, R, R, C], target [B, K]) -> [P]`, of the cross-entropy."""

    def loss(vector: jax.Array, inputs: jax.Array, target: jax.Array) -> jax.Array:
        params = unflatten(model.abstract_params, vector)
        logits, _ = model.apply(params, model.no_stats(), inputs, train=True)
        return jnp.mean(optax.softmax_cross_entropy(logits, target))

    return jax.jit(jax.grad(loss))


def evaluator_of(model: Model, evaluated: LabelledImages, resolution: int) -> Callable[..., Any]:
    """`evaluate(vector [P], calibration uint8 [N, B, S, S, C], mean [C], std [C]) -> error rate, loss`."""
    batches = jax.device_put(in_batches(evaluated.images[:], {"label": evaluated.labels}, BATCH))

    @jax.jit
    def summarise(vector: Any, calibration: Any, mean: Any, std: Any, images: Any, *targets: Any) -> Any:
        ready = functools.partial(prepare, resolution=resolution, mean=mean, std=std)
        params = unflatten(model.abstract_params, vector)
        stats = calibrate(model, params, model.no_stats(), jax.lax.map(ready, calibration))
        logits = jax.lax.map(lambda x: model.apply(params, stats, ready(x), train=False)[0], images)
        return CLASSIFICATION.summarise(logits, *targets)

    return lambda *given: CLASSIFICATION.score(jax.device_get(summarise(*given, *batches)))
