"""Pure functions around a Flax NNX module: parameters and statistics go in and come out as plain dicts."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet.layers import Initializer
from supernet.ops import Train

Tree = dict[str, Any]  # nested dicts of arrays, by module and parameter name


class Model:
    """`init(key) -> (params, stats)` and `apply(params, stats, images, control, train=) -> (outputs, stats)`.

    `build` makes the NNX module with weights from an `Initializer`.
    `dtype` is what the activations are computed in (bfloat16 where the hardware has it); logits, statistics
    and parameters stay float32.
    """

    def __init__(self, build: Callable[[Initializer], nnx.Module], *, dtype: Any = jnp.float32):
        self._build = build
        self._dtype = dtype
        abstract = nnx.eval_shape(lambda: build(Initializer(np.random.default_rng(0))))
        self._abstract: Any = abstract
        self._graph, states = _split(abstract)
        self._params, self._stats = states
        self.abstract_params: Tree = nnx.to_pure_dict(self._params)
        self.abstract_stats: Tree = nnx.to_pure_dict(self._stats)

    def output_shape(self, resolution: int) -> tuple[int, ...]:
        """Shape of what `apply` gives of one image [resolution, resolution, C]; of a whole network alone."""
        shape: tuple[int, ...] = self._abstract.output_shape(resolution)
        return shape

    def init(self, key: jax.Array) -> tuple[Tree, Tree]:
        """Random parameters, and statistics of mean 0 and variance 1."""

        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).tolist())
        _, (params, stats) = _split(self._build(Initializer(rng)))
        as_arrays = functools.partial(jax.tree.map, jnp.asarray)
        return as_arrays(nnx.to_pure_dict(params)), as_arrays(nnx.to_pure_dict(stats))

    def apply(
        self, params: Tree, stats: Tree, images: jax.Array, control: Any = None, *, train: Train
    ) -> tuple[jax.Array, Tree]:
        """Outputs float32 of images [B, H, W, C]: logits [B, num_classes], or a map [B, H', W', K].

        With `train` every BatchNorm uses the batch's own statistics, and those are returned; without, it
        uses `stats` and returns them. A traced `train` makes one program of both, which has no gradient and
        returns statistics that count where `train` is true. `control` narrows a supernet to a subnet; None
        for a stand-alone.
        """
        module = self._bind(params, stats)
        narrowed = () if control is None else (control,)
        images = jax.tree.map(lambda each: each.astype(self._dtype), images)  # a head reads several maps
        outputs = module(images, *narrowed, train=train)
        return outputs, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def features(
        self, params: Tree, stats: Tree, images: jax.Array, control: Any = None
    ) -> tuple[jax.Array, Tree]:
        """The feature map before global pooling [B, H', W', C'] and the batch's statistics (train mode)."""
        module = self._bind(params, stats)
        narrowed = () if control is None else (control,)
        features = module.features(images.astype(self._dtype), *narrowed, train=True)
        return features, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def no_stats(self) -> Tree:
        """Statistics for an `apply` that does not read them."""
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self.abstract_stats)

    def _bind(self, params: Tree, stats: Tree) -> Any:
        def filled(abstract: nnx.State, values: Tree) -> nnx.State:
            state = jax.tree.map(lambda leaf: leaf, abstract)
            nnx.replace_by_pure_dict(state, values)
            return state

        return nnx.merge(self._graph, filled(self._params, params), filled(self._stats, stats), copy=True)


def _split(module: nnx.Module) -> tuple[Any, tuple[nnx.State, nnx.State]]:
    graph, *states = nnx.split(module, nnx.Param, nnx.BatchStat)
    return graph, (states[0], states[1])
