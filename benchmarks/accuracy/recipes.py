"""Which recipe trains stand-alone networks best by the same number of images?

    python benchmarks/recipes.py --workdir runs/digits --steps 337 --name recipes_digits

For a work folder that `train_supernet` has begun: networks evenly spread over log MACs are trained from
random weights by each of the `RECIPES`, with the same number of images. A network's gradient is one
compiled program, which all recipes and seeds share. Every training is a row of `recipes/<steps>x<batch>.csv`
in the work folder; the same command goes on. The error is that on the validation split.

Letters: P parameters.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
from benchmarks.common import require_at_least, save_result

from hytnas_jax import console
from hytnas_jax.accuracy.sample import draw_over_cost, spread
from hytnas_jax.data import Dataset, augment, batches
from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.flags.settings import flags_of
from hytnas_jax.runtime import compiling
from hytnas_jax.runtime.command_line import run
from hytnas_jax.training.evaluation_images import images_for
from hytnas_jax.training.step import step_key
from hytnas_jax.workspace.project import Project, open_project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import num_macs
from proxies.evaluation.base import evaluate_calibrated
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.errors import UserError
from supernet.flat import flatten, unflatten
from supernet.model import Model
from supernet.network import stand_alone
from supernet.training import is_kernel

DRAWN = 40  # networks, as many as `study_ranking` draws; of these, some evenly spread
COLUMNS = ("recipe", "network", "seed", "error", "loss", "cpu_seconds")


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the same networks by several recipes."""

    workdir: Path
    """A work folder that train_supernet has begun; its supernet is not read."""
    steps: int = 337
    """Steps of a training; a recipe of half the batch takes twice as many."""
    batch_size: int = 64
    """Images in a step."""
    networks: int = 8
    """How many networks."""
    seeds: int = 1
    """Trainings of each network by each recipe."""
    only: tuple[str, ...] = ()
    """Recipes, by name; all of them if not given."""
    name: str = "recipes"
    """Of the result file."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How networks are trained; the defaults are those of the product before this was measured.

    batch: as a part of the usual number of images in a step. decay: of kernels, times the learning rate.
    """

    optimizer: str = "adam"
    rate: float = 3e-3
    decay: float = 1e-2
    smoothing: float = 0.1
    clip: float = 1.0
    batch: float = 1.0
    crop: bool = True
    schedule: str = "cosine"
    warmup: int = 50
    ema: float = 0.99

    def rates(self, steps: int) -> np.ndarray:
        """Learning rates [steps]: a linear warm-up from a tenth, then down to zero."""
        number = np.arange(steps)
        warmup = min(self.warmup, max(1, steps // 5))
        done = np.clip((number - warmup) / max(1, steps - warmup), 0, 1)
        fall = {"cosine": (1 + np.cos(np.pi * done)) / 2, "linear": 1 - done}
        return self.rate * np.where(number < warmup, 0.1 + 0.9 * number / warmup, fall[self.schedule])


RECIPES = {
    "as it was": Recipe(),
    "rate 1e-2": Recipe(rate=1e-2),
    "rate 2e-2": Recipe(rate=2e-2),
    "rate 4e-2": Recipe(rate=4e-2),
    "rate 1e-2, decay 0.1": Recipe(rate=1e-2, decay=0.1),
    "rate 2e-2, decay 0.1": Recipe(rate=2e-2, decay=0.1),
    "rate 4e-2, decay 0.1": Recipe(rate=4e-2, decay=0.1),
    "rate 2e-2, decay 0.5": Recipe(rate=2e-2, decay=0.5),
    "rate 2e-2, decay 0.1, no crop": Recipe(rate=2e-2, decay=0.1, crop=False),
    "rate 2e-2, decay 0.1, labels not smoothed": Recipe(rate=2e-2, decay=0.1, smoothing=0.0),
    "rate 2e-2, decay 0.1, linear": Recipe(rate=2e-2, decay=0.1, schedule="linear"),
    "rate 2e-2, decay 0.1, half the batch": Recipe(rate=2e-2, decay=0.1, batch=0.5),
    "rate 2e-2, decay 0.1, clipped at 10": Recipe(rate=2e-2, decay=0.1, clip=10.0),
    "Nesterov AdamW, rate 2e-2, decay 0.1": Recipe("nadam", rate=2e-2, decay=0.1),
    "SGD with momentum, rate 0.3": Recipe("momentum", rate=0.3, decay=5e-4, clip=100.0),
    "Muon, rate 3e-2": Recipe("muon", rate=3e-2),
    "Prodigy": Recipe("prodigy", rate=1.0),
}


def main(config: Config) -> None:
    """Train what is missing, and say how good the networks are by each recipe."""
    require_at_least(config, {"steps": 10, "batch_size": 2, "networks": 2, "seeds": 1})
    for name in set(config.only) - RECIPES.keys():
        raise UserError(f"--only {name!r}: no such recipe; there are: {', '.join(map(repr, RECIPES))}")
    project = open_project(Workdir(config.workdir))
    networks = spread(study_networks(project), config.networks)
    folder = project.workdir.path / "recipes"
    log = CsvLog(folder / f"{config.steps}x{config.batch_size}.csv", COLUMNS)
    train_missing(project, networks, config, log)
    rows = [row for row in log.rows() if row["recipe"] in chosen(config)]
    found = {name: summary([row for row in rows if row["recipe"] == name]) for name in chosen(config)}
    cells = [(name, *values.values()) for name, values in found.items()]
    console.table(cells, ("recipe", "error", "its standard error", "loss", "CPU s"))
    save_result(
        config.name,
        {
            "command": f"python benchmarks/recipes.py {flags_of(config)}",
            "data": project.source,
            "space": project.space.name,
            "networks": [network.name for network in networks],
            "recipes": {name: dataclasses.asdict(RECIPES[name]) for name in chosen(config)},
            "found": found,
            "trainings": rows,
        },
    )


def study_networks(project: Project) -> list[Architecture]:
    """The networks that `study_ranking` draws, cheapest first."""
    return draw_over_cost(project.space, num_macs(project.to_spec), count=DRAWN, seed=0)


def chosen(config: Config) -> tuple[str, ...]:
    """The names of the recipes asked for."""
    return config.only or tuple(RECIPES)


def summary(rows: list[dict[str, str]]) -> dict[str, float | None]:
    """Mean error, its standard error from what seeds do, mean loss, CPU seconds of a training."""
    errors, losses, seconds = (np.array([float(row[c]) for row in rows]) for c in COLUMNS[3:])
    names = [row["network"] for row in rows]
    within = [
        np.var(errors[[n == name for n in names]], ddof=1) for name in set(names) if names.count(name) > 1
    ]
    noise = float(np.sqrt(np.mean(within) / len(rows))) if within else float("nan")
    return {
        "error": float(errors.mean()),
        "standard_error": None if np.isnan(noise) else noise,
        "loss": float(losses.mean()),
        "cpu_seconds": float(seconds.mean()),
    }


def train_missing(project: Project, networks: list[Architecture], config: Config, log: CsvLog) -> None:
    """Network after network, since compiling one takes as long as some trainings."""
    have = {(row["recipe"], row["network"], int(row["seed"])) for row in log.rows()}
    jobs = [
        (network, name, seed)
        for network in networks
        for seed in range(config.seeds)
        for name in chosen(config)
        if (name, network.name, seed) not in have
    ]
    if not jobs:
        return
    dataset = project.dataset()
    with console.progress(jobs, "training", apart=compiling.seconds) as bar:
        trainee = None
        for network, name, seed in bar:
            if trainee is None or trainee.network is not network:
                jax.clear_caches()
                trainee = Trainee(project, dataset, network)
            started = time.process_time()
            error, loss = trainee.train(RECIPES[name], config, seed)
            seconds = round(time.process_time() - started, 2)
            values = (name, network.name, seed, error, loss, seconds)
            log.append(dict(zip(COLUMNS, values, strict=True)))
            bar.note(f"{name}: error {error:.4f}")


class Numbers(NamedTuple):
    """Of a step: learning rate, weight decay of kernels, the norm gradients are cut to, and the weight of the
    past in the average."""

    rate: Any
    decay: Any
    clip: Any
    past: Any


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

    def train(self, recipe: Recipe, config: Config, seed: int) -> tuple[float, float]:
        """Error rate and loss, on the validation split, of the averaged weights after the last step."""
        vector = flatten(self._model.init(jax.random.key(seed))[0])
        begin, update = self._optimizer(recipe.optimizer)
        state, average = begin(vector), jnp.copy(vector)
        batch = max(2, round(config.batch_size * recipe.batch))
        rates = recipe.rates(round(config.steps * config.batch_size / batch))
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
        like = {"resolution": resolution, "mean": project.mean, "std": project.std}
        inputs = augment(key, images, **like, mirror=project.mirror, crop=crop)
        target = optax.smooth_labels(jax.nn.one_hot(labels, project.num_classes), smoothing)

        def loss(vector: jax.Array) -> jax.Array:
            params = unflatten(model.abstract_params, vector)
            logits, _ = model.apply(params, model.no_stats(), inputs, train=True)
            return jnp.mean(optax.softmax_cross_entropy(logits, target))

        return jax.grad(loss)(vector)

    return gradient


def evaluator_of(model: Model, images: Any) -> Callable[[jax.Array], tuple[jax.Array, jax.Array]]:
    """`evaluate(vector [P]) -> error rate, loss` with BatchNorm statistics calibrated for it."""
    images = jax.device_put(images)

    @jax.jit
    def evaluate(vector: jax.Array, images: Any) -> tuple[jax.Array, jax.Array]:
        params = unflatten(model.abstract_params, vector)
        stats = calibrate(model, params, model.no_stats(), images.calibration)
        return evaluate_calibrated(model, params, stats, images)

    return lambda vector: evaluate(vector, images)


def compiled_optimizer(model: Model, kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`begin(vector) -> state`; `update(gradient, state, vector, average, numbers)` -> the three, new.

    All that differs between recipes of one kind is a number: they share the program.
    """
    like = model.abstract_params
    kernels, direction = is_kernel(like), direction_of(kind, like)

    @jax.jit
    def update(gradient: Any, state: Any, vector: Any, average: Any, numbers: Numbers) -> Any:
        gradient = gradient * jnp.minimum(1, numbers.clip / jnp.linalg.norm(gradient))
        step, state = direction.update(gradient, state, vector)
        vector = vector - numbers.rate * (step + numbers.decay * kernels * vector)
        average = numbers.past * average + (1 - numbers.past) * vector
        return vector, average, state

    return jax.jit(direction.init), update


def direction_of(kind: str, like: Any) -> optax.GradientTransformation:
    """Which way an optimiser goes from a gradient [P]; the learning rate is the caller's."""
    if kind == "adam":
        return optax.scale_by_adam()
    if kind == "nadam":
        return optax.scale_by_adam(nesterov=True)
    if kind == "momentum":
        return optax.trace(0.9, nesterov=True)
    if kind == "prodigy":
        return backwards(optax.contrib.prodigy(1.0))
    muon = optax.contrib.muon(
        1.0,
        consistent_rms=0.2,
        adam_learning_rate=1.0,
        muon_weight_dimension_numbers=functools.partial(jax.tree.map_with_path, as_matrix),
    )
    return backwards(on_tree(muon, like))


def backwards(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """Optimisers go down, directions are subtracted."""
    return optax.chain(optimizer, optax.scale(-1.0))


def on_tree(optimizer: optax.GradientTransformation, like: Any) -> optax.GradientTransformation:
    """An optimiser that has to see the arrays one by one, for vectors [P]."""

    def update(gradient: Any, state: Any, vector: Any = None) -> Any:
        step, state = optimizer.update(unflatten(like, gradient), state, unflatten(like, vector))
        return flatten(step), state

    return optax.GradientTransformation(lambda vector: optimizer.init(unflatten(like, vector)), update)


def as_matrix(path: Any, leaf: Any) -> Any:
    """Muon's matrices: kernels by inputs and outputs. Depthwise ones and the classifier are left to Adam."""
    names = [key.key for key in path]
    if names[-1] != "kernel" or leaf.ndim < 2 or {"depthwise", "classifier"} & set(names):
        return None
    return optax.contrib.MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), (leaf.ndim - 1,))


if __name__ == "__main__":
    run(main, Config)
