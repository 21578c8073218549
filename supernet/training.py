"""Training as a pure pair `init`, `step`: a supernet by the sandwich rule, or one stand-alone network.

Letters: B batch, H W images, C channels, K subnets in a step (the first is the teacher of the others), P
parameters.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from supernet.errors import UserError
from supernet.flat import flatten, unflatten
from supernet.model import Model, Tree
from supernet.supernet import Control, SupernetModel
from supernet.tasks.base import Dense, Lesson, Targets
from supernet.tasks.classification import CLASSIFICATION


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train: AdamW, linear warm-up, cosine decay to zero, gradients clipped to norm 1.

    `lesson` is what the network is to learn. `ema_decay` is the weight of the past in the exponential moving
    average of the parameters, which is what gets evaluated; it starts lower ((1 + step) / (10 + step)) so
    that early steps are forgotten.

    Raises:
      UserError: a value outside its range.
    """

    num_steps: int
    learning_rate: float = 1e-2
    warmup_steps: int = 50
    weight_decay: float = 0.1
    ema_decay: float = 0.99
    lesson: Lesson = CLASSIFICATION

    def __post_init__(self) -> None:
        for name, low, high in (
            ("num_steps", 1, float("inf")),
            ("learning_rate", 1e-8, 10.0),
            ("warmup_steps", 0, float("inf")),
            ("weight_decay", 0.0, 10.0),
            ("ema_decay", 0.0, 0.99999),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"{name}={value}: must be between {low} and {high}")

    def optimizer(self, params: Tree) -> optax.GradientTransformation:
        """The optimiser with its schedule, for the vector of a tree of parameters."""
        warmup = min(self.warmup_steps, max(1, self.num_steps // 5))
        schedule = optax.warmup_cosine_decay_schedule(
            self.learning_rate / 10, self.learning_rate, warmup, max(self.num_steps, warmup + 1)
        )
        decay = self.weight_decay * is_kernel(params)
        return optax.chain(
            optax.clip_by_global_norm(1.0),
            optax.scale_by_adam(),
            optax.stateless(lambda updates, vector: updates + decay * vector),
            optax.scale_by_learning_rate(schedule),
        )


def supernet_rate(num_weights: int) -> float:
    """Peak learning rate of a supernet of so many weights: 1e-2, above 160,000 of them 4 over their root.

    The wider, the smaller: Adam's best rate falls as 1 / width (arXiv 2203.03466, table 3). Measured in
    docs/recipes.md.
    """
    return min(1e-2, 4 / math.sqrt(num_weights))


class TrainState(NamedTuple):
    """All that a training run is; `ema` is the average of `params` that gets evaluated.

    Both are vectors [P] (`flat`): the update is compiled for one array, not for hundreds. `weights` gives the
    tree back.
    """

    step: jax.Array
    params: jax.Array
    ema: jax.Array
    optimizer: Any


class Metrics(NamedTuple):
    """Of one step: losses [K] in nats, accuracies [K] (the lesson's `share`) on its batch, gradient norm
    []."""

    loss: jax.Array
    accuracy: jax.Array
    gradient_norm: jax.Array


def init(recipe: Recipe, params: Tree) -> TrainState:
    """The state before the first step, from random or inherited parameters.

    It holds copies, so that a step may reuse its buffers without touching the caller's.
    """
    own, ema = (jax.jit(flatten)(params) for _ in range(2))
    return TrainState(jnp.zeros((), jnp.int32), own, ema, recipe.optimizer(params).init(own))


def weights(model: Model, vector: jax.Array) -> Tree:
    """The tree of parameters of a `TrainState`'s `params` or `ema`."""
    return jax.tree.map(jnp.asarray, unflatten(model.abstract_params, np.asarray(vector)))


def step(
    model: Model,
    recipe: Recipe,
    state: TrainState,
    images: jax.Array,
    targets: Targets,
    controls: Control | None = None,
) -> tuple[TrainState, Metrics]:
    """One optimiser step on images [B, H, W, C] and targets, a pytree of arrays [B, ...].

    With `controls` of K subnets (a `Control` with [K]) their gradients are added up: the first learns from
    the targets, the others what the recipe's lesson has it teach. One program, whatever the subnets. Without,
    it trains the one stand-alone network.
    """
    lesson = recipe.lesson
    dense = lesson.encode(targets, model.output_shape(images.shape[1]))
    params = unflatten(model.abstract_params, state.params)
    if controls is None:
        (losses, outputs), gradient = _gradient_alone(model, lesson, params, images, dense)
    else:
        assert isinstance(model, SupernetModel), "controls narrow a supernet"
        (losses, outputs), gradient = _gradient_of_subnets(model, lesson, params, images, dense, controls)
    shares = jax.vmap(lesson.share, (0, None))(outputs, targets)
    updates, optimizer = recipe.optimizer(params).update(gradient, state.optimizer, state.params)
    updated = state.params + updates
    decay = jnp.minimum(recipe.ema_decay, (1.0 + state.step) / (10.0 + state.step))
    ema = decay * state.ema + (1 - decay) * updated
    norm = jnp.linalg.norm(gradient)
    return TrainState(state.step + 1, updated, ema, optimizer), Metrics(losses, shares, norm)


def _gradient_alone(model: Model, lesson: Lesson, params: Tree, images: jax.Array, dense: Dense) -> Any:
    """((losses [1], outputs [1, B, ...]), gradient [P])."""

    def loss_of(params: Tree) -> tuple[jax.Array, jax.Array]:
        output, _ = model.apply(params, model.no_stats(), images, train=True)
        return lesson.loss(output, dense), output

    (loss, output), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
    return (loss[None], output[None]), flatten(gradient)


def _gradient_of_subnets(
    model: SupernetModel, lesson: Lesson, params: Tree, images: jax.Array, dense: Dense, controls: Control
) -> Any:
    """((losses [K], outputs [K, B, ...]), the sum of the gradients [P]); the stem is computed once."""

    stem = {"stem": params["stem"]}
    like = {name: part for name, part in params.items() if name not in stem}
    rest = flatten(like)

    def loss_of(rest: jax.Array, maps: jax.Array, dense: Dense, control: Control) -> Any:
        output = model.after_stem({**stem, **unflatten(like, rest)}, maps, control)
        return lesson.loss(output, dense), output

    gradient_of = jax.value_and_grad(loss_of, argnums=(0, 1), has_aux=True)
    maps, pull = jax.vjp(lambda stem: model.stem({**params, **stem}, images), stem)

    def add_subnet(carry: Any, subnet: tuple[jax.Array, Control]) -> tuple[Any, Any]:
        total, of_maps, dense = carry
        index, control = subnet
        (loss, output), (gradient, own) = gradient_of(rest, maps, dense, control)
        taught = lesson.teach(output, dense)  # the first teaches the others
        dense = jax.tree.map(lambda new, old: jnp.where(index == 0, new, old), taught, dense)
        return (total + gradient, of_maps + own, dense), (loss, output)

    zeros = (jnp.zeros_like(rest), jnp.zeros_like(maps))
    subnets = (jnp.arange(len(controls.head)), controls)
    (total, of_maps, _), results = jax.lax.scan(add_subnet, (*zeros, dense), subnets)
    return results, flatten({**unflatten(like, total), **pull(of_maps)[0]})


def is_kernel(params: Tree) -> np.ndarray:
    """1 where weight decay applies, to kernels, and 0 for biases and norms: float32 [P]."""
    leaves = jax.tree.leaves_with_path(params)
    return np.concatenate([np.full(leaf.size, path[-1].key == "kernel", np.float32) for path, leaf in leaves])
