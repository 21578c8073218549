"""Single blocks as models with random weights, and images for them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from supernet import ops
from supernet.blocks import build_block
from supernet.model import Model, Tree
from supernet.network_spec import BlockSpec

SIDE = 5
Apply = Callable[[Tree, jax.Array, Any], tuple[jax.Array, Tree]]


def block_model(in_width: int, spec: BlockSpec) -> Model:
    """A block as pure functions; its output stands in the place of the logits."""
    return Model(lambda init: build_block(in_width, spec, init))


def compiled(model: Model) -> Apply:
    def apply(params: Tree, x: jax.Array, widths: Any) -> tuple[jax.Array, Tree]:
        stats = model.no_stats()
        return model.apply(params, stats, x, widths, train=True)

    return jax.jit(apply, compiler_options={"xla_backend_optimization_level": 0})


def random_params(model: Model) -> Tree:
    rng = np.random.default_rng(0)
    return jax.tree.map(
        lambda a: jnp.asarray(0.5 * rng.standard_normal(a.shape), jnp.float32), model.abstract_params
    )


def images(width: int, active: int) -> jax.Array:
    x = np.random.default_rng(1).standard_normal((3, SIDE, SIDE, width)).astype(np.float32)
    return ops.mask_channels(jnp.asarray(x), jnp.int32(active))
