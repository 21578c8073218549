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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train. AdamW, linear warm-up, cosine decay to zero, gradients clipped to norm 1.

    `ema_decay` is the weight of the past in the exponential moving average of the parameters, which is
    what gets evaluated; it starts lower ((1 + step) / (10 + step)) so that early steps are forgotten.

    Raises:
      UserError: a value outside its range.
    """

    num_steps: int
    learning_rate: float = 1e-2
    warmup_steps: int = 50
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    ema_decay: float = 0.99

    def __post_init__(self) -> None:
        for name, low, high in (
            ("num_steps", 1, float("inf")),
            ("learning_rate", 1e-8, 10.0),
            ("warmup_steps", 0, float("inf")),
            ("weight_decay", 0.0, 10.0),
            ("label_smoothing", 0.0, 0.9),
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
    docs/ranking.md.
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
    """Of one step: losses [K] (cross-entropy, nats) and accuracies [K] on its batch, gradient norm []."""

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
    labels: jax.Array,
    controls: Control | None = None,
) -> tuple[TrainState, Metrics]:
    """One optimiser step on images [B, H, W, C] and labels int [B].

    With `controls` of K subnets (a `Control` with [K]) their gradients are added up: the first learns the
    smoothed labels, the others the first one's output (in-place distillation, arXiv 1903.05134, section 3).
    One program, whatever the subnets. Without, it trains the one stand-alone network.
    """
    classes = model.abstract_params["head"]["classifier"]["bias"].shape[0]
    smooth = optax.smooth_labels(jax.nn.one_hot(labels, classes), recipe.label_smoothing)
    params = unflatten(model.abstract_params, state.params)
    if controls is None:
        (losses, logits), gradient = _gradient_alone(model, params, images, smooth)
    else:
        assert isinstance(model, SupernetModel), "controls narrow a supernet"
        (losses, logits), gradient = _gradient_of_subnets(model, params, images, smooth, controls)
    accuracies = jnp.mean(jnp.argmax(logits, -1) == labels, -1)
    updates, optimizer = recipe.optimizer(params).update(gradient, state.optimizer, state.params)
    updated = state.params + updates
    decay = jnp.minimum(recipe.ema_decay, (1.0 + state.step) / (10.0 + state.step))
    ema = decay * state.ema + (1 - decay) * updated
    norm = jnp.linalg.norm(gradient)
    return TrainState(state.step + 1, updated, ema, optimizer), Metrics(losses, accuracies, norm)


def _gradient_alone(model: Model, params: Tree, images: jax.Array, target: jax.Array) -> Any:
    """((losses [1], logits [1, B, classes]), gradient [P])."""

    def loss_of(params: Tree) -> tuple[jax.Array, jax.Array]:
        logits, _ = model.apply(params, model.no_stats(), images, train=True)
        return _cross_entropy(logits, target), logits

    (loss, logits), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
    return (loss[None], logits[None]), flatten(gradient)


def _gradient_of_subnets(
    model: SupernetModel, params: Tree, images: jax.Array, smooth: jax.Array, controls: Control
) -> Any:
    """((losses [K], logits [K, B, classes]), the sum of the gradients [P]); the stem is computed once."""

    stem = {"stem": params["stem"]}
    like = {name: part for name, part in params.items() if name not in stem}
    rest = flatten(like)

    def loss_of(rest: jax.Array, maps: jax.Array, target: jax.Array, control: Control) -> Any:
        logits = model.after_stem({**stem, **unflatten(like, rest)}, maps, control)
        return _cross_entropy(logits, target), logits

    gradient_of = jax.value_and_grad(loss_of, argnums=(0, 1), has_aux=True)
    maps, pull = jax.vjp(lambda stem: model.stem({**params, **stem}, images), stem)

    def add_subnet(carry: Any, subnet: tuple[jax.Array, Control]) -> tuple[Any, Any]:
        total, of_maps, target = carry
        index, control = subnet
        (loss, logits), (gradient, own) = gradient_of(rest, maps, target, control)
        target = jnp.where(index == 0, jax.nn.softmax(logits), target)  # the first teaches the others
        return (total + gradient, of_maps + own, target), (loss, logits)

    zeros = (jnp.zeros_like(rest), jnp.zeros_like(maps))
    subnets = (jnp.arange(len(controls.head)), controls)
    (total, of_maps, _), results = jax.lax.scan(add_subnet, (*zeros, smooth), subnets)
    return results, flatten({**unflatten(like, total), **pull(of_maps)[0]})


def _cross_entropy(logits: jax.Array, target: jax.Array) -> jax.Array:
    return jnp.mean(optax.softmax_cross_entropy(logits, target))


def is_kernel(params: Tree) -> np.ndarray:
    """1 where weight decay applies, to kernels, and 0 for biases and norms: float32 [P]."""
    leaves = jax.tree.leaves_with_path(params)
    return np.concatenate([np.full(leaf.size, path[-1].key == "kernel", np.float32) for path, leaf in leaves])
