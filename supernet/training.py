"""Training as a pure pair `init`, `step`: a supernet by the sandwich rule, or one stand-alone network.

Letters: B batch, H W pictures, C channels, K subnets in a step (the first is the teacher of the others).
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from supernet.errors import UserError
from supernet.model import Model, Tree


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train. AdamW, linear warm-up, cosine decay to zero, gradients clipped to norm 1.

    `ema_decay` is the weight of the past in the exponential moving average of the parameters, which is
    what gets judged; it starts lower ((1 + step) / (10 + step)) so that early steps are forgotten.

    Raises:
      UserError: a value outside its range.
    """

    num_steps: int
    learning_rate: float = 3e-3
    warmup_steps: int = 50
    weight_decay: float = 1e-2
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

    def optimizer(self) -> optax.GradientTransformation:
        """The optimiser with its schedule."""
        warmup = min(self.warmup_steps, max(1, self.num_steps // 5))
        schedule = optax.warmup_cosine_decay_schedule(
            self.learning_rate / 10, self.learning_rate, warmup, max(self.num_steps, warmup + 1)
        )
        decayed = optax.adamw(schedule, weight_decay=self.weight_decay, mask=_is_matrix)
        return optax.chain(optax.clip_by_global_norm(1.0), decayed)


class TrainState(NamedTuple):
    """All that a training run is; `ema` is the average of `params` that gets judged."""

    step: jax.Array
    params: Tree
    ema: Tree
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
    own, ema = (jax.tree.map(jnp.array, params) for _ in range(2))
    return TrainState(jnp.zeros((), jnp.int32), own, ema, recipe.optimizer().init(own))


def step(
    model: Model,
    recipe: Recipe,
    state: TrainState,
    images: jax.Array,
    labels: jax.Array,
    controls: Any = None,
) -> tuple[TrainState, Metrics]:
    """One optimiser step on images [B, H, W, C] and labels int [B].

    With `controls` of K subnets (a `Control` with [K]) their gradients are added up: the first learns the
    smoothed labels, the others the first one's output (in-place distillation, arXiv 1903.05134, section 3).
    One program, whatever the subnets. Without, it trains the one stand-alone network.
    """
    classes = model.abstract_params["head"]["classifier"]["bias"].shape[0]
    smooth = optax.smooth_labels(jax.nn.one_hot(labels, classes), recipe.label_smoothing)
    stats = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), model.abstract_stats)

    def loss_of(params: Tree, target: jax.Array, control: Any) -> tuple[jax.Array, jax.Array]:
        logits, _ = model.apply(params, stats, images, control, train=True)
        return jnp.mean(optax.softmax_cross_entropy(logits, target)), logits

    gradient_of = jax.value_and_grad(loss_of, has_aux=True)

    def add_subnet(carry: tuple[Tree, jax.Array], subnet: tuple[jax.Array, Any]) -> tuple[Any, Any]:
        total, target = carry
        index, control = subnet
        (loss, logits), gradient = gradient_of(state.params, target, control)
        accuracy = jnp.mean(jnp.argmax(logits, -1) == labels)
        target = jnp.where(index == 0, jax.nn.softmax(logits), target)  # the first teaches the others
        return (jax.tree.map(jnp.add, total, gradient), target), (loss, accuracy)

    if controls is None:
        (loss, logits), gradient = gradient_of(state.params, smooth, None)
        losses, accuracies = loss[None], jnp.mean(jnp.argmax(logits, -1) == labels)[None]
    else:
        zeros = jax.tree.map(jnp.zeros_like, state.params)
        subnets = (jnp.arange(len(controls.head)), controls)
        (gradient, _), (losses, accuracies) = jax.lax.scan(add_subnet, (zeros, smooth), subnets)
    norm = optax.tree.norm(gradient)
    updates, optimizer = recipe.optimizer().update(gradient, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    decay = jnp.minimum(recipe.ema_decay, (1.0 + state.step) / (10.0 + state.step))
    ema = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, state.ema, params)
    return TrainState(state.step + 1, params, ema, optimizer), Metrics(losses, accuracies, norm)


def _is_matrix(params: Tree) -> Tree:
    """Weight decay is for kernels, not for biases and norms."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params)
