"""The networks that are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hytnas_jax import console
from hytnas_jax.numbers import counted
from proxies.latency.predictor import MIN_NETWORKS
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

if TYPE_CHECKING:
    pass


DRAWS_PER_NETWORK = 4  # in a small space many draws are the same network


def draw_networks(
    space: SearchSpace, count: int, seed: int, *, least: int = MIN_NETWORKS
) -> list[Architecture]:
    """Up to `count` different networks, uniformly from the space; fewer where it has fewer.

    Raises:
        UserError: the count, or the space, has fewer than the `least` that a predictor needs.
    """
    if count < least:
        raise UserError(f"--networks {count}: a latency predictor needs {least} or more")
    codes = space.sample(np.random.default_rng(seed), DRAWS_PER_NETWORK * count)
    _, first = np.unique(codes, axis=0, return_index=True)
    kept = codes[np.sort(first)[:count]]
    if len(kept) < least:
        raise UserError(
            f"space {space.name!r} has {counted(len(kept), 'different network')} or a few more; "
            f"a latency predictor "
            f"needs {least}: give genes more choices, or loosen the constraints"
        )
    if len(kept) < count:
        console.warn(f"--networks {count}: the space gave {len(kept)} different ones, which are measured")
    return space.decode_all(kept)
