"""A tree of arrays as one vector, and back: what is done to hundreds of small arrays is compiled once."""

import math
from typing import Any

import jax
import jax.numpy as jnp


def flatten(tree: Any) -> jax.Array:
    """All elements float32 [P] of a tree's arrays, in the order of its leaves."""
    return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def unflatten(like: Any, vector: Any) -> Any:
    """The inverse: the tree of the shapes of `like`, cut from `vector` [P]."""
    leaves, structure = jax.tree.flatten(like)
    cut, start = [], 0
    for leaf in leaves:
        size = math.prod(leaf.shape)
        cut.append(vector[start : start + size].reshape(leaf.shape))
        start += size
    return jax.tree.unflatten(structure, cut)
