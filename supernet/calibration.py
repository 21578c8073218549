"""BatchNorm statistics for the network at hand, recomputed before it is evaluated.

Shared weights have no statistics of their own: every subnet's activations differ (once-for-all and BigNAS
do the same). Letters: N images, B batch, H W map, C channels.
"""

from typing import Any

import jax
import jax.numpy as jnp

from supernet.model import Model, Tree


def calibrate(model: Model, params: Tree, stats: Tree, batches: jax.Array, control: Any = None) -> Tree:
    """Every BatchNorm's statistics over `batches` [N, B, H, W, C]; `stats` only lends its shapes."""

    def of_batch(images: jax.Array) -> Tree:
        return model.apply(params, stats, images, control, train=True)[1]

    return combined(jax.lax.map(of_batch, batches))


def combined(batch_stats: Tree) -> Tree:
    """The statistics of all images from those of N batches of equal size, stacked: [N, C] to [C].

    The variance is the mean variance within batches plus the variance of the batch means.
    """
    means = jax.tree.map(lambda leaf: jnp.mean(leaf, 0), batch_stats)
    return _with_spread(means, jax.tree.map(lambda leaf: jnp.var(leaf, 0), batch_stats))


def _with_spread(means: Tree, spread: Tree) -> Tree:
    """Adds the spread of the batch means to each variance."""
    if "var" in means:
        return {"mean": means["mean"], "var": means["var"] + spread["mean"]}
    return {key: _with_spread(part, spread[key]) for key, part in means.items()}
