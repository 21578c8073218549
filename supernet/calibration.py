"""BatchNorm statistics for the network at hand, recomputed before it is judged.

Shared weights have no statistics of their own: every subnet's activations differ (once-for-all and BigNAS
do the same). Letters: N pictures, B batch, H W map, C channels.
"""

from typing import Any

import jax
import jax.numpy as jnp

from supernet.model import Model, Tree


def calibrate(model: Model, params: Tree, stats: Tree, batches: jax.Array, control: Any = None) -> Tree:
    """The mean over `batches` [N, B, H, W, C] of every BatchNorm's batch statistics.

    `stats` only lends its shapes. The variance is the mean variance within batches plus the variance of the
    batch means, so that it is that of all pictures at once.
    """

    def add(total: tuple[Tree, Tree], images: jax.Array) -> tuple[tuple[Tree, Tree], None]:
        _, batch = model.apply(params, stats, images, control, train=True)
        squares = jax.tree.map(jnp.square, batch)
        return jax.tree.map(jnp.add, total, (batch, squares)), None

    zeros = jax.tree.map(jnp.zeros_like, stats)
    (sums, squares), _ = jax.lax.scan(add, (zeros, zeros), batches)
    count = batches.shape[0]
    means = jax.tree.map(lambda s: s / count, sums)
    spread = jax.tree.map(lambda s, m: jnp.maximum(s / count - m * m, 0), squares, means)
    return _with_spread(means, spread)


def _with_spread(means: Tree, spread: Tree) -> Tree:
    """Adds the spread of the batch means to each variance."""
    if "var" in means:
        return {"mean": means["mean"], "var": means["var"] + spread["mean"]}
    return {key: _with_spread(part, spread[key]) for key, part in means.items()}
