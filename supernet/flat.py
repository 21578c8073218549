"""A tree of arrays as one vector, and back: what is done to hundreds of small arrays is compiled once."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp


def flatten(tree: Any) -> jax.Array:
    """All elements float32 [P] of a tree's arrays, in the order of its leaves."""
    return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def as_one(tree: Any) -> jax.Array:
    """`flatten`, kept apart from what reads it: XLA would move it into every branch of a conditional."""
    return jax.lax.optimization_barrier(flatten(tree))


def unflatten(like: Any, vector: Any) -> Any:
    """The inverse: the tree of the shapes of `like`, cut from `vector` [P]; its gradient is one `flatten`."""
    leaves, structure = jax.tree.flatten(like)
    shapes = tuple(leaf.shape for leaf in leaves)
    cut = _traced_cut if isinstance(vector, jax.Array) else _cut
    return jax.tree.unflatten(structure, cut(shapes, vector))


def _cut(shapes: Sequence[tuple[int, ...]], vector: Any) -> list[Any]:
    ends = list(itertools.accumulate(math.prod(shape) for shape in shapes))
    starts = [0, *ends[:-1]]
    return [vector[i:j].reshape(shape) for i, j, shape in zip(starts, ends, shapes, strict=True)]


def _forward(shapes: Sequence[tuple[int, ...]], vector: jax.Array) -> tuple[list[jax.Array], None]:
    return _cut(shapes, vector), None


def _backward(shapes: Sequence[tuple[int, ...]], _: None, cotangents: list[jax.Array]) -> tuple[jax.Array]:
    return (flatten(cotangents),)


# The automatic gradient of a slice is a padded vector of the full length, for every array.
_traced_cut = jax.custom_vjp(_cut, nondiff_argnums=(0,))
_traced_cut.defvjp(_forward, _backward)
