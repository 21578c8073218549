"""The Zen-score: how strongly a network with random weights reacts to a small change of its input.

Zen-NAS (arXiv 2102.01063, algorithm 1): all convolutions and linear layers ~ N(0, 1) without bias, Gaussian
images x and e, features f before global pooling, and

    score = log E || f(x) - f(x + 0.01 e) ||_1  +  sum over BatchNorms of log sqrt(mean of channel variances)

averaged over `repeats` draws. The second term gives back the scale that each BatchNorm takes away.

Choices, where the publication leaves one or our networks go beyond it:

- The variances are those of the batch x, as in the paper. The released program reads BatchNorm's running
  variances instead, a moving average of both passes that starts at 1; read so, ours is the score that others
  published (docs/untrained.md).
- `shortcuts=False`: inverted residuals do not add their input, as in the released search program, which
  scores every network without its residual links. Transformer layers keep theirs: without them, attention
  soon makes all tokens alike.
- `layer_norm`: "published" leaves LayerNorm as it is, without a correction term. "corrected" adds the
  analogous term, log of the square root of the mean variance of a token's channels, for each LayerNorm.
  "skip" passes over the transformer layers, so that only convolutions and BatchNorms are scored, which
  is what the theory is about. (LayerNorm as the identity is none: unnormalised attention overflows.)

Letters: A architectures, R repeats, B batch, H W map, C channels.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from proxies.base import Direction, Estimate, Estimator
from proxies.untrained import by_resolution, check_positive, trunk_of
from proxies.zen_network import LayerNormRule, norm_widths, scored_network, scored_supernet
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.model import Model, Tree
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.supernet import Control

GAMMA = 0.01  # size of the change
# One draw and four images rank networks of `hybrid` as 64 draws of 16 images do, whichever the draw, at
# 1/256 of the work (benchmarks/accuracy/zen_score_draws.py). Fewer images would leave too little to
# normalise by where the last map is a single pixel.
REPEATS, BATCH = 1, 4


@dataclasses.dataclass(frozen=True)
class ZenScore(Estimator):
    """An `Estimator` of the Zen-score of a space's architectures, for images of `channels` channels.

    One compiled program a resolution scores any number of architectures with the same random weights of the
    supernet, of which each takes its part: scores are comparable, and do not depend on their company.

    Raises:
      UserError: a number that is not positive, an unknown `layer_norm`, an architecture of another space.

    Examples:
      >>> from proxies import ZenScore
      >>> from supernet import SearchSpace, StageSpace
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(16,))
      >>> ZenScore(space, channels=3)([space.decode([0]), space.decode([1])]).shape
      (2,)
    """

    space: SearchSpace
    _: dataclasses.KW_ONLY
    channels: int
    repeats: int = REPEATS
    batch: int = BATCH
    layer_norm: LayerNormRule = "published"
    shortcuts: bool = False
    seed: int = 0
    name: str = "zen_score"
    unit: str = ""
    direction: Direction = "max"

    def __post_init__(self) -> None:
        _check(self.layer_norm, channels=self.channels, repeats=self.repeats, batch=self.batch)

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Scores float64 [A]."""
        key = jax.random.key(self.seed)

        def evaluate(resolution: int, batch_of: Control, count: int) -> np.ndarray:
            program = supernet_program(
                trunk_of(self.space), self.channels, resolution, self.batch, self.layer_norm, self.shortcuts
            )
            return np.asarray(program(key, batch_of, count, self.repeats))[:count]

        scores = by_resolution(trunk_of(self.space), architectures, evaluate, title="Zen-score")
        return Estimate(np.array(scores, np.float64))


def zen_score(
    spec: NetworkSpec,
    key: jax.Array,
    *,
    repeats: int = REPEATS,
    batch: int = BATCH,
    layer_norm: LayerNormRule = "published",
    shortcuts: bool = False,
) -> float:
    """The Zen-score of a stand-alone network; compiles a program for it.

    Raises:
      UserError: a number that is not positive, or an unknown `layer_norm`.
    """
    _check(layer_norm, repeats=repeats, batch=batch)
    model = scored_network(spec, layer_norm=layer_norm, shortcuts=shortcuts)

    @jax.jit
    def mean_score(keys: jax.Array) -> jax.Array:
        def score(key: jax.Array) -> jax.Array:
            params, pair = draw(key, model, (batch, spec.resolution, spec.resolution, spec.channels))
            return score_once(model, params, pair)

        return jnp.mean(jax.lax.map(score, keys))

    return float(mean_score(jax.random.split(key, repeats)))


@functools.lru_cache(maxsize=32)
def supernet_program(
    space: SearchSpace,
    channels: int,
    resolution: int,
    batch: int,
    layer_norm: LayerNormRule,
    shortcuts: bool,
) -> Callable[[jax.Array, Control, int, int], jax.Array]:
    """The compiled program (key, controls [A], count, repeats) -> mean scores [A], 0 from `count` on.

    The counts are traced: there is one program whatever they are.
    """
    model = scored_supernet(
        space, channels=channels, resolution=resolution, layer_norm=layer_norm, shortcuts=shortcuts
    )

    @jax.jit
    def program(key: jax.Array, batch_of: Control, count: jax.Array, repeats: jax.Array) -> jax.Array:
        def add_repeat(repeat: jax.Array, totals: jax.Array) -> jax.Array:
            images = (batch, resolution, resolution, channels)
            params, pair = draw(jax.random.fold_in(key, repeat), model, images)

            def add_architecture(index: jax.Array, totals: jax.Array) -> jax.Array:
                control = jax.tree.map(lambda leaf: leaf[index], batch_of)
                score = score_once(model, params, pair, control, norm_widths(space, control))
                return totals.at[index].add(score)

            return jax.lax.fori_loop(0, count, add_architecture, totals)

        zeros = jnp.zeros(batch_of.head.shape[0])
        return jax.lax.fori_loop(0, repeats, add_repeat, zeros) / repeats

    return program


def draw(key: jax.Array, model: Model, images: tuple[int, int, int, int]) -> tuple[Tree, jax.Array]:
    """Weights ~ N(0, 1), biases 0, scales 1; and the images x and x + 0.01 e, [2, B, H, W, C].

    All weights are cut from one draw: a draw for each array would be compiled for each.
    """
    weights_key, x_key, e_key = jax.random.split(key, 3)
    leaves, structure = jax.tree.flatten_with_path(model.abstract_params)
    normal = jax.random.normal(weights_key, (sum(leaf.size for _, leaf in leaves),))
    params, start = [], 0
    for path, leaf in leaves:
        name = path[-1].key
        if name == "kernel":
            params.append(normal[start : start + leaf.size].reshape(leaf.shape))
            start += leaf.size
        else:
            params.append(jnp.full(leaf.shape, 1.0 if name == "scale" else 0.0))
    x, e = jax.random.normal(x_key, images), jax.random.normal(e_key, images)
    return jax.tree.unflatten(structure, params), jnp.stack([x, x + GAMMA * e])


def score_once(
    model: Model, params: Tree, pair: jax.Array, control: Any = None, widths: Any = None
) -> jax.Array:
    """The Zen-score [] of one draw of weights for the images `pair` [2, B, H, W, C].

    `widths` (`norm_widths`) says which channels of which norms are part of the subnet; None: all.
    """
    change, variances = reaction(model, params, pair, control)
    return jnp.log(change) + log_scales(variances, widths)


def reaction(model: Model, params: Tree, pair: jax.Array, control: Any = None) -> tuple[jax.Array, Tree]:
    """How much an image's features change [], summed over the map, and the norms' statistics of batch x."""
    stats = model.no_stats()
    features, batch_stats = jax.vmap(lambda images: model.features(params, stats, images, control))(pair)
    change = jnp.sum(jnp.abs(features[0] - features[1]), (1, 2, 3))
    return jnp.mean(change), jax.tree.map(lambda leaf: leaf[0], batch_stats)


def log_scales(stats: Tree, widths: Any = None) -> jax.Array:
    """The sum [] over all norms of log sqrt(mean variance of the active channels), `widths` as above."""
    if "var" in stats:
        return _log_scale(stats["var"], widths)
    terms = [log_scales(part, None if widths is None else widths[name]) for name, part in stats.items()]
    return sum(terms, jnp.zeros(()))


def _log_scale(variances: jax.Array, width: Any) -> jax.Array:
    if width is None:
        return 0.5 * jnp.log(jnp.mean(variances))
    active = jnp.arange(variances.shape[0]) < width
    mean = jnp.sum(jnp.where(active, variances, 0)) / jnp.maximum(width, 1)
    return jnp.where(width > 0, 0.5 * jnp.log(mean), 0)


def _check(layer_norm: str, **positive: int) -> None:
    if layer_norm not in get_args(LayerNormRule):
        raise UserError(f"layer_norm={layer_norm!r}: must be one of {list(get_args(LayerNormRule))}")
    check_positive(**positive)
