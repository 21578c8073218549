"""Loops and choices that a traced number rules, with gradients of their own.

JAX cannot take the gradient of a loop of unknown length, and that of a choice compiles and saves the
intermediates of every branch. Here only the inputs are saved, and the backward pass computes anew the part
that was in use. Auxiliary outputs, of which batch statistics are one, have no gradient; the backward pass
hands them in again as `known`, None in the forward pass.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from supernet.flat import as_one, flatten, unflatten

Body = Callable[[Any, Any, Any, Any], tuple[jax.Array, Any]]
Branch = Callable[[Any, Any, Any], tuple[jax.Array, Any]]


def sum_over_tiles(body: Body, tiles: Any, x: jax.Array, numbers: Any, count: Any) -> tuple[jax.Array, Any]:
    """The sum of `body(tile, x, numbers, known)[0]` over the first `count` of `tiles`; all auxiliary outputs.

    `tiles` is a tree of arrays [T, ...], a tile one of theirs; `numbers` have no gradient. The auxiliary
    outputs, body's second ones, come as [T, ...], 0 where no tile was computed. A single tile is computed
    whatever `count` says, with nothing computed anew.
    """
    if jax.tree.leaves(tiles)[0].shape[0] > 1:
        return _tiled(body, tiles, x, numbers, count)
    y, auxiliary = body(_at(tiles, 0), x, numbers, None)
    return y, jax.tree.map(lambda leaf: leaf[None], auxiliary)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _tiled(body: Body, tiles: Any, x: jax.Array, numbers: Any, count: Any) -> tuple[jax.Array, Any]:
    shapes = jax.eval_shape(body, _at(tiles, 0), x, numbers, None)
    length = jax.tree.leaves(tiles)[0].shape[0]
    y, auxiliary = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    auxiliary = jax.tree.map(lambda a: jnp.zeros((length, *a.shape), a.dtype), auxiliary)

    def add(t: jax.Array, total: tuple[jax.Array, Any]) -> tuple[jax.Array, Any]:
        y, own = body(_at(tiles, t), x, numbers, None)
        return total[0] + y, _set(total[1], t, own)

    return jax.lax.fori_loop(0, count, add, (y, auxiliary))


def _tiled_forward(body: Body, *inputs: Any) -> tuple[Any, Any]:
    y, auxiliary = _tiled(body, *inputs)
    return (y, auxiliary), (inputs, auxiliary)


def _tiled_backward(body: Body, saved: Any, cotangents: Any) -> tuple[Any, ...]:
    (tiles, x, numbers, count), auxiliary = saved

    def add(t: jax.Array, total: tuple[Any, jax.Array]) -> tuple[Any, jax.Array]:
        def again(tile: Any, x: jax.Array) -> tuple[jax.Array, Any]:
            return body(tile, x, numbers, _at(auxiliary, t))

        pull = jax.vjp(again, _at(tiles, t), x, has_aux=True)[1]
        own, dx = pull(cotangents[0])
        return _set(total[0], t, own), total[1] + dx

    d_tiles, dx = jax.lax.fori_loop(0, count, add, jax.tree.map(jnp.zeros_like, (tiles, x)))
    return d_tiles, dx, None, None


_tiled.defvjp(_tiled_forward, _tiled_backward)


def choose_branch(branches: Sequence[Branch], index: Any, arrays: Any, numbers: Any) -> tuple[jax.Array, Any]:
    """`branches[index](arrays, numbers, known)`; all give the same shapes. `numbers` have no gradient."""
    if len(branches) > 1:
        return _chosen(tuple(branches), index, arrays, numbers)
    return branches[0](arrays, numbers, None)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _chosen(branches: Sequence[Branch], index: Any, arrays: Any, numbers: Any) -> tuple[jax.Array, Any]:
    return jax.lax.switch(index, branches, arrays, numbers, None)


def _chosen_forward(branches: Sequence[Branch], *inputs: Any) -> tuple[Any, Any]:
    y, auxiliary = _chosen(branches, *inputs)
    return (y, auxiliary), (inputs, auxiliary)


def _chosen_backward(branches: Sequence[Branch], saved: Any, cotangents: Any) -> tuple[Any, ...]:
    (index, arrays, numbers), auxiliary = saved

    def backward(branch: Branch) -> Callable[[Any, Any, Any, Any], Any]:
        def run(arrays: Any, numbers: Any, known: Any, dy: Any) -> Any:
            return jax.vjp(lambda arrays: branch(arrays, numbers, known), arrays, has_aux=True)[1](dy)[0]

        return run

    backwards = [backward(branch) for branch in branches]
    d_arrays = jax.lax.switch(index, backwards, arrays, numbers, auxiliary, cotangents[0])
    return None, d_arrays, None


_chosen.defvjp(_chosen_forward, _chosen_backward)


def chain(
    modules: Sequence[Any], call: Callable[[Any, jax.Array, jax.Array], jax.Array], x: jax.Array
) -> Any:
    """`x = call(module, x, number)` for modules of equal shapes, compiled once for all of them.

    What `call` writes into a module's statistics is written into the module.
    """
    if not modules:
        return x
    graph, like, *_ = nnx.split(modules[0], ...)
    stacked = jnp.stack([flatten(nnx.state(module)) for module in modules])

    def step(x: jax.Array, numbered: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, Any]:
        module = nnx.merge(graph, unflatten(like, numbered[1]), copy=True)
        x = call(module, x, numbered[0])
        return x, nnx.state(module, nnx.BatchStat)

    x, statistics = jax.lax.scan(step, x, (jnp.arange(len(modules)), stacked))
    for number, module in enumerate(modules):
        nnx.update(module, _at(statistics, number))
    return x


def either(
    predicate: jax.Array,
    call: Callable[[Any, jax.Array], jax.Array],
    other: Callable[[Any, jax.Array], jax.Array],
    modules: tuple[Any, ...],
    x: jax.Array,
) -> jax.Array:
    """`call(modules, x)` if `predicate`, else `other(modules, x)`; the statistics they write are written.

    A conditional returns the gradient of all that it is given, and compiles a kernel for every array of zeros
    that a branch has no use for: it is given one vector for each module.
    """
    graph, *states = nnx.split(modules, nnx.Param, nnx.BatchStat)
    params, before = states
    vectors = {number: as_one(params[number]) for number in params}

    def branch(call: Callable[[Any, jax.Array], jax.Array]) -> Any:
        def run(vectors: dict[Any, jax.Array], before: Any, x: jax.Array) -> tuple[jax.Array, Any]:
            own = {number: unflatten(params[number], vectors[number]) for number in params}
            merged = nnx.merge(graph, nnx.State(own), before, copy=True)
            return call(merged, x), nnx.state(merged, nnx.BatchStat)

        return run

    y, statistics = jax.lax.cond(predicate, branch(call), branch(other), vectors, before, x)
    nnx.update(modules, statistics)
    return y


# An index is within bounds here: `leaf[index]` and `leaf.at[index]` would compile kernels that see to that.
def _at(tree: Any, index: Any) -> Any:
    def row(leaf: jax.Array) -> jax.Array:
        return jax.lax.dynamic_index_in_dim(leaf, index, keepdims=False, allow_negative_indices=False)

    return jax.tree.map(row, tree)


def _set(tree: Any, index: Any, own: Any) -> Any:
    def put(leaf: jax.Array, value: jax.Array) -> jax.Array:
        return jax.lax.dynamic_update_index_in_dim(leaf, value, index, 0, allow_negative_indices=False)

    return jax.tree.map(put, tree, own)
