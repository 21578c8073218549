"""What the estimates from random weights share: changed networks, and one program for many architectures.

Letters: A architectures.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.layers import Initializer
from supernet.model import Model, Tree
from supernet.network import Network
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.supernet import Control, Supernet, controls, quickest_tiers, supernet

MAX_ARCHITECTURES = 256  # of one call of the compiled program

# (a block, the side of its output's map, weights) -> the block to stand in its place; it may be the same one.
Adapt = Callable[[Any, int, Initializer], Any]


def adapted_network(spec: NetworkSpec, adapt: Adapt) -> Model:
    """The stand-alone network with its blocks and its head adapted."""

    def build(init: Initializer) -> Network:
        network, side = Network(spec, init), spec.resolution
        for index, block in enumerate(spec.blocks):
            side = -(-side // getattr(block, "stride", 1))
            network.blocks[index] = adapt(network.blocks[index], side, init)
        network.head = adapt(network.head, side, init)
        return network

    return Model(build)


def adapted_supernet(
    space: SearchSpace, *, channels: int, resolution: int, adapt: Adapt, tiers: int | None = None
) -> Model:
    """The supernet, for images of one resolution, with its stem, blocks and head adapted.

    Its classifier is not used. `tiers` as in `supernet.supernet`: in two sizes, a network of `hybrid` takes
    0.85 of the time on a CPU.
    """
    if tiers is None:
        tiers = quickest_tiers(space, resolution)

    def build(init: Initializer) -> Supernet:
        network = Supernet(space, channels, 1, init, tiers=tiers)
        side = -(-resolution // space.stem_stride)
        network.stem = adapt(network.stem, side, init)
        for module, stage in zip(network.stages, space.stages, strict=True):
            side = -(-side // stage.stride)
            module.first = adapt(module.first, side, init)
            for index, block in enumerate(module.more):
                module.more[index] = adapt(block, side, init)
            if module.transformer is not None:
                module.transformer = adapt(module.transformer, side, init)
        network.head = adapt(network.head, side, init)
        return network

    return Model(build)


def trunk_of(space: SearchSpace) -> SearchSpace:
    """The space without a dense head: what is estimated from random weights are the features before it."""
    if space.dense_head is None:
        return space
    constraints = tuple(text for text in space.constraints if "head." not in text)
    return dataclasses.replace(space, dense_head=None, constraints=constraints)


def random_weights(space: SearchSpace, channels: int, key: jax.Array) -> Tree:
    """The parameters that training would start from, of which each architecture takes its part."""
    return supernet(space, channels=channels, num_classes=1).init(key)[0]


def over_architectures(compute: Callable[[Control], jax.Array], batch_of: Control, count: Any) -> jax.Array:
    """`compute` [...] of each of the first `count` of the controls [A]: [A, ...], 0 from `count` on.

    One after the other; `count` may be traced.
    """
    shape = jax.eval_shape(compute, batch_of.at(0))

    def add(index: jax.Array, results: jax.Array) -> jax.Array:
        return results.at[index].set(compute(batch_of.at(index)))

    zeros = jnp.zeros((batch_of.head.shape[0], *shape.shape), shape.dtype)
    return jax.lax.fori_loop(0, count, add, zeros)


def by_resolution(
    space: SearchSpace,
    architectures: Sequence[Architecture],
    evaluate: Callable[[int, Control, int], NDArray[Any]],
    *,
    title: str,
) -> list[NDArray[Any]]:
    """What `evaluate(resolution, controls, count)` gives for each architecture, in their order.

    It is given up to MAX_ARCHITECTURES of one resolution, filled up to that many so that one program does,
    and returns the results of the first `count`, with them in the first axis. `space` has no dense head;
    those of the architectures are not looked at.

    Raises:
      UserError: an architecture of another space.
    """
    for architecture in architectures:
        if architecture.space != space.name:
            raise UserError(f"space={architecture.space!r}: this {title} is of {space.name!r}")
    resolutions = np.array([a.resolution for a in architectures])
    results: dict[int, NDArray[Any]] = {}
    for resolution in np.unique(resolutions):
        at_resolution = np.flatnonzero(resolutions == resolution)
        for start in range(0, len(at_resolution), MAX_ARCHITECTURES):
            places = at_resolution[start : start + MAX_ARCHITECTURES]
            members = [dataclasses.replace(architectures[i], dense_head=None) for i in places]
            padded = members + members[:1] * (MAX_ARCHITECTURES - len(members))
            found = evaluate(int(resolution), controls(space, padded), len(members))
            results |= dict(zip(places.tolist(), found, strict=True))
    return [results[place] for place in range(len(architectures))]


def check_positive(**numbers: int) -> None:
    """Raises UserError for a number that is not positive."""
    for name, value in numbers.items():
        if value < 1:
            raise UserError(f"{name}={value}: must be at least 1")
