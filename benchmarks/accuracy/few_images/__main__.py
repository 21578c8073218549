"""What helps where images are few: augmentation, and a supernet begun with another work folder's?

    python benchmarks/few_images.py --workdir runs/few --data person.npz --init-from runs/cifar24

The work folder is begun with these images and this space. From the training split, few images are
drawn, others for each seed. Networks of the cheaper half of the space, by log MACs, are trained on them by
the same number of steps, from random weights by each augmentation, and from the weights of a supernet that
was trained on the same few images: one from random weights, one begun with the supernet of --init-from.
Every training is a row of `few_images/<resolution>-<steps>x<batch>.csv` in the work folder; the same
command goes on. The error is that on the whole validation split.

Letters: B batch, R resolution, C channels, K classes.
"""

import dataclasses
import functools
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from benchmarks.accuracy import recipes
from benchmarks.common import require_at_least, save_result
from benchmarks.accuracy.few_images.augmented import KINDS, augmented

from hytnas_jax import console, train_supernet
from hytnas_jax.accuracy.sample import spread
from hytnas_jax.data import Dataset, LabelledImages, batches, prepare
from hytnas_jax.data.dataset import channel_statistics
from hytnas_jax.data.splits import quotas
from hytnas_jax.files.atomic import CsvLog, write_bytes
from hytnas_jax.flags.settings import flags_of
from hytnas_jax.runtime import compiling
from hytnas_jax.runtime.command_line import run
from hytnas_jax.training.evaluation_images import BATCH, NUM_CALIBRATION_BATCHES
from hytnas_jax.training.step import step_key
from hytnas_jax.training.supernet import load_supernet
from hytnas_jax.workspace.project import Project, create_project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.evaluation.base import error_and_loss, in_batches
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
COLUMNS = ("images", "seed", "network", "way", "error", "loss", "cpu_seconds")


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the same networks on few images in several ways."""

    workdir: Path
    """A work folder for this; it is begun with --data."""
    data: str
    """The images: as --data of train_supernet."""
    init_from: Path | None = None
    """A work folder whose supernet others begin with; without one, augmentations alone are compared."""
    space: str = "hybrid-small"
    """The search space."""
    resolution: int = 24
    """Of all networks, in pixels."""
    sizes: tuple[int, ...] = (50, 200, 1000)
    """Numbers of training images."""
    networks: int = 2
    """How many networks."""
    seeds: int = 3
    """Draws of images, each with trainings of its own."""
    supernet_seeds: int = 2
    """As many of them have supernets,"""
    supernet_sizes: tuple[int, ...] = (50, 200)
    """for these numbers of images."""
    steps: int = 200
    """Steps of a training."""
    supernet_steps: int = 150
    """Steps of a supernet, nearly: whole epochs are taken."""
    batch_size: int = 32
    """Images in a step."""
    learning_rate: float = 1e-2
    """Peak learning rate of networks and supernets; the networks' weight decay is 0.1."""
    name: str = "few_images"
    """Of the result file."""


class Few:
    """A draw of few training images, uint8 [N, S, S, C], with their own statistics by channel [C]."""

    def __init__(self, images: LabelledImages, seed: int) -> None:
        self.images, self.seed, self.size = images, seed, len(images)
        mean, std = channel_statistics(images.images)
        self.mean, self.std = np.array(mean, np.float32), np.array(std, np.float32)


def main(config: Config) -> None:
    """Train what is missing, and say what each way is worth beside the plain one."""
    least = {"networks": 1, "seeds": 2, "steps": 10, "batch_size": 2, "resolution": 8}
    require_at_least(config, {**least, "supernet_seeds": 2, "supernet_steps": 10})
    project, dataset = create_project(
        Workdir(config.workdir),
        data=config.data,
        data_dir=None,
        space=config.space,
        resolutions=(config.resolution,),
        max_images=None,
        skip_corrupt=False,
        seed=0,
    )
    drawn = recipes.study_networks(project)
    # Of the cheaper half, which is what few images call for; the cheapest learns next to nothing.
    networks = spread(drawn[: len(drawn) // 2], config.networks + 1)[1:]
    table = f"{config.resolution}-{config.steps}x{config.batch_size}.csv"
    log = CsvLog(project.workdir.path / "few_images" / table, COLUMNS)
    train_missing(project, dataset, networks, config, log)
    found = {
        size: {way: summary(log.rows(), size, way) for way in ways(config, size)} for size in config.sizes
    }
    begun = {size: worth_of_begun(log.rows(), size) for size in found if ways(config, size) == WAYS}
    for size, values in found.items():
        console.say(f"\n{size} images")
        cells = [(way, *value.values()) for way, value in values.items()]
        console.table(cells, ("way", "error", "less than plain", "its standard error"))
        cells = [(way, *value.values()) for way, value in begun.get(size, {}).items()]
        if cells:
            console.table(cells, ("way", "error", "less than not begun", "its standard error"))
    save_result(
        config.name,
        {
            "command": f"python benchmarks/few_images.py {flags_of(config)}",
            "data": project.source,
            "space": project.space.name,
            "networks": [network.name for network in networks],
            "found": found,
            "begun_beside_not": begun,
            "trainings": log.rows(),
        },
    )


def ways(config: Config, size: int, seed: int = 0) -> tuple[str, ...]:
    """What is compared on so many images, in that draw."""
    has_supernets = config.init_from is not None and size in config.supernet_sizes
    return WAYS if has_supernets and seed < config.supernet_seeds else KINDS


def worth_of_begun(rows: list[dict[str, str]], size: int) -> dict[str, dict[str, float]]:
    """`summary` of each way from a begun supernet, beside the same from one that was not."""
    none, begun = (tuple(f"{weights}, {how}" for how in HOWS) for weights in SUPERNETS)
    return {way: summary(rows, size, way, beside=other) for way, other in zip(begun, none, strict=True)}


def summary(rows: list[dict[str, str]], size: int, way: str, *, beside: str = PLAIN) -> dict[str, float]:
    """Mean error; how much less than by the way `beside`; that one's standard error over seeds.

    A seed's images are the same for all ways, so that differences are taken within a seed.
    """

    def of(way: str) -> dict[str, np.ndarray]:
        chosen = [row for row in rows if (row["images"], row["way"]) == (str(size), way)]
        seeds = sorted({row["seed"] for row in chosen})
        return {s: np.array([float(row["error"]) for row in chosen if row["seed"] == s]) for s in seeds}

    errors, others = of(way), of(beside)
    gains = np.array([others[seed].mean() - errors[seed].mean() for seed in errors])
    return {
        "error": float(np.mean([values.mean() for values in errors.values()])),
        "gain": float(gains.mean()),
        "standard_error": float(gains.std(ddof=1) / np.sqrt(len(gains))),
    }


def train_missing(
    project: Project, dataset: Dataset, networks: list[Architecture], config: Config, log: CsvLog
) -> None:
    """Seed after seed, so that what there is after a while is balanced."""
    have = {(row["images"], row["seed"], row["network"], row["way"]) for row in log.rows()}
    jobs = [
        (seed, size, network, way)
        for seed in range(config.seeds)
        for network in networks
        for size in config.sizes
        for way in ways(config, size, seed)
        if (str(size), str(seed), network.name, way) not in have
    ]
    trainees = {network.name: Trainee(project, dataset, network, config) for network in networks}
    with console.progress(jobs, "training", apart=compiling.seconds) as bar:
        for seed, size, network, way in bar:
            few = draw(dataset.train, size, seed)
            started = time.process_time()
            error, loss = trainees[network.name].by(way, few)
            seconds = round(time.process_time() - started, 2)
            values = (size, seed, network.name, way, error, loss, seconds)
            log.append(dict(zip(COLUMNS, values, strict=True)))
            bar.note(f"{way}: error {error:.4f}")


def draw(images: LabelledImages, size: int, seed: int) -> Few:
    """So many images, each class in its proportion; a larger draw contains the smaller ones of its seed."""
    rng, places = np.random.default_rng(seed), []
    counts = np.bincount(images.labels)
    for label, share in enumerate(quotas(counts, size)):
        places.append(rng.permutation(np.flatnonzero(images.labels == label))[:share])
    chosen = np.concatenate(places)
    return Few(LabelledImages(images.images[chosen], images.labels[chosen]), seed)


class Trainee:
    """A network with its compiled gradient, optimiser and evaluate."""

    def __init__(self, project: Project, dataset: Dataset, network: Architecture, config: Config) -> None:
        self._project, self._dataset, self._config, self._network = project, dataset, config, network
        self._model = stand_alone(project.to_spec(network))
        self._gradient = gradient_of(self._model)
        self._begin, self._update = recipes.compiled_optimizer(self._model, "adam")
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
        config, recipe = self._config, recipes.Recipe(rate=self._config.learning_rate, decay=0.1)
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
            numbers = recipes.Numbers(rate, recipe.decay, recipe.clip, past)
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
    """As a data set of its own. Of the images to evaluate by a few are enough: nobody looks at that error."""
    buffer = io.BytesIO()
    arrays = {"x_train": few.images.images, "y_train": few.images.labels}
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
    images, labels = jax.device_put(in_batches(evaluated.images, evaluated.labels, BATCH))

    @jax.jit
    def evaluate(vector: Any, calibration: Any, mean: Any, std: Any, images: Any, labels: Any) -> Any:
        ready = functools.partial(prepare, resolution=resolution, mean=mean, std=std)
        params = unflatten(model.abstract_params, vector)
        stats = calibrate(model, params, model.no_stats(), jax.lax.map(ready, calibration))
        logits = jax.lax.map(lambda x: model.apply(params, stats, ready(x), train=False)[0], images)
        return error_and_loss(logits, labels)

    return lambda *given: evaluate(*given, images, labels)


if __name__ == "__main__":
    run(main, Config)
